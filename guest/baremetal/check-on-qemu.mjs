/**
 * Runs the built-in guest on native QEMU in M-mode and S-mode: every way to talk to the device must
 * give the right data, and damage done to the disk must be found. Needs qemu-system-riscv64.
 *
 *     node guest/baremetal/check-on-qemu.mjs
 */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildBareMetal } from './build.mjs';

const directory = mkdtempSync(join(tmpdir(), 'baremetal-'));
const image = join(directory, 'baremetal.bin');
const disk = join(directory, 'disk.img');
let failures = 0;

/** Boots the guest, types the commands, and returns the lines it prints. */
function run(mode, commands, { drive = '', device = '', machine = [] } = {}) {
  const board = ['-machine', 'virt', '-m', '128', '-nographic', '-monitor', 'none', '-serial', 'stdio'];
  const boot = [...(mode === 'M' ? ['-bios', 'none'] : []), '-kernel', image];
  const transport = [
    '-global',
    'virtio-mmio.force-legacy=false',
    '-device',
    `virtio-blk-device,drive=d0${device}`,
  ];
  const storage = ['-drive', `file=${disk},format=raw,if=none,id=d0${drive}`];
  const { stdout, status, error } = spawnSync(
    'qemu-system-riscv64',
    [...board, ...boot, ...machine, ...storage, ...transport],
    // The first line may lose a letter to whoever initialises the UART.
    { input: `\n${[...commands, 'poweroff'].join('\n')}\n`, encoding: 'latin1', timeout: 120_000 },
  );
  if (error) throw error;
  if (status !== 0) throw new Error(`QEMU ended with status ${status}`);
  return stdout.split(/\r?\n/);
}

/** The fields of each result line. */
function results(lines) {
  return lines
    .filter((line) => line.startsWith('result '))
    .map((line) =>
      Object.fromEntries(
        line
          .split(' ')
          .slice(1)
          .map((word) => word.split('=')),
      ),
    );
}

function check(what, ok, lines) {
  process.stdout.write(`${ok ? 'ok  ' : 'FAIL'}  ${what}\n`);
  if (ok) return;
  failures++;
  process.stdout.write(`${lines.join('\n')}\n`);
}

function blankDisk() {
  writeFileSync(disk, '');
  truncateSync(disk, 64 << 20);
}

/** Every load, by depth; each has so many results without an error. */
function loads(mode, title, setup, options) {
  blankDisk();
  const depths = [1, 2, 7, 32, 128];
  const commands = depths.flatMap((qd) => [
    `read rand qd ${qd}`,
    `verify seq qd ${qd} bs 64K segs 16 count 500`,
    `verify rand qd ${qd} segs 3`,
    `mix qd ${qd} segs 5 flush 50 count 10000`,
  ]);
  const lines = run(mode, [...setup, ...commands, 'info'], options);
  const rows = results(lines);
  const clean = rows.every((row) => row.errors === '0' && row.lost === '0');
  const settled = lines.some((line) => line.startsWith('counts:') && line.endsWith('unknown=0'));
  check(
    `${mode}-mode, ${title}: ${rows.length} loads`,
    rows.length === commands.length && clean && settled,
    lines,
  );
  return rows.map((row) => row.digest).join();
}

function damage(mode) {
  blankDisk();
  run(mode, ['write count 100 gen 5']);
  const file = openSync(disk, 'r+');
  writeSync(file, 'X', 81 * 512 + 200); // one byte inside sector 81
  const sector = Buffer.alloc(512);
  sector.writeBigUInt64LE(160n, 0);
  sector.write('QCONTEXT', 16); // sector 169 now says it is sector 160
  writeSync(file, sector, 0, 512, 169 * 512);
  closeSync(file);
  const lines = run(mode, [
    'check count 100 gen 5',
    'write count 10 gen 6',
    'check count 20 gen 5',
    'check count 5 seed 2 gen 6',
  ]);
  const [first, , third, fourth] = results(lines);
  check(`${mode}-mode, damage: a flipped byte and a misplaced sector`, first?.errors === '2', lines);
  check(`${mode}-mode, damage: older writes`, third?.errors === '11' && fourth?.errors === '5', lines);
  for (const kind of ['corrupt sector=81', 'misplaced sector=169', 'stale sector=0']) {
    check(
      `${mode}-mode, damage: kind=${kind}`,
      lines.some((line) => line.startsWith(`error kind=${kind} `)),
      lines,
    );
  }
}

function refusals(mode) {
  blankDisk();
  const lines = run(mode, ['write count 3', 'unlock', 'write count 3'], { drive: ',readonly=on' });
  const refused = lines.some((line) => line.startsWith('error: the disk is read-only'));
  check(
    `${mode}-mode, a read-only disk refuses, then fails`,
    refused && results(lines)[0]?.errors === '3',
    lines,
  );

  const slow = run(mode, ['read bs 1M qd 4 count 8 timeout 1'], { drive: ',throttling.bps-total=100000' });
  check(`${mode}-mode, requests that do not return are lost`, Number(results(slow)[0]?.lost) > 0, slow);
}

try {
  await buildBareMetal(image);
  const digests = new Set();
  for (const mode of ['M', 'S']) {
    for (const eventIdx of ['on', 'off']) {
      for (const indirect of ['on', 'off']) {
        for (const irq of ['on', 'off']) {
          const setup = [`event_idx ${eventIdx}`, `indirect ${indirect}`, `irq ${irq}`];
          digests.add(loads(mode, setup.join(', '), setup));
        }
      }
    }
    digests.add(loads(mode, '4 queues of 32', ['qsize 32'], { device: ',num-queues=4' }));
    digests.add(
      loads(mode, 'two harts, neither feature offered', [], {
        device: ',event_idx=off,indirect_desc=off',
        machine: ['-smp', '2'],
      }),
    );
    damage(mode);
    refusals(mode);
  }
  check('the sequences of requests are the same everywhere', digests.size === 1, [...digests]);
} finally {
  rmSync(directory, { recursive: true });
}
process.exitCode = failures > 0 ? 1 : 0;
