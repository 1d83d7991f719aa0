import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { SerialPort } from '../../src/engine/index.ts';
import { guestDir, startMachine, type TestMachine, withFolder } from './machine.ts';

interface Manifest {
  readonly available: boolean;
  readonly kernels: Readonly<Record<string, { image: string; initrd?: string; append: string }>>;
}
const manifest = existsSync(join(guestDir, 'manifest.json'))
  ? (JSON.parse(readFileSync(join(guestDir, 'manifest.json'), 'utf8')) as Manifest)
  : undefined;
const stock = manifest?.available === true ? manifest.kernels['stock'] : undefined;
const PROMPT = /root@qcontext:[^#]*# $/;
const CONTEXTS = ['ctx1', 'main', 'ctx0'];

/** Boots Linux with some devices to its prompt, lets `use` try them, and takes the machine down. */
const withLinux = (devices: readonly string[], use: (machine: TestMachine) => Promise<void>): Promise<void> =>
  withFolder(async (folder) => {
    if (stock === undefined) throw new Error('no Linux guest: npm run guest');
    const disk = join(folder, 'disk.img');
    copyFileSync(join(guestDir, 'rootfs.ext4'), disk);
    const machine = await startMachine([
      ...['-m', '256', '-kernel', join(guestDir, stock.image), '-append', stock.append],
      ...(stock.initrd === undefined ? [] : ['-initrd', join(guestDir, stock.initrd)]),
      ...['-object', 'glib-qcontext,id=ctx0,threaded=yes', '-object', 'glib-qcontext,id=ctx1,threaded=yes'],
      ...['-drive', `file=${disk},if=none,id=drive0,format=raw`],
      ...['-device', 'virtio-blk,drive=drive0,context=ctx0,id=disk0'],
      ...devices,
    ]);
    await machine.expect(PROMPT, 120_000);
    await use(machine);
    await machine.stop();
  });

/** Runs a shell command in the guest; resolves with its output. */
async function shell(machine: TestMachine, command: string, timeoutMs = 60_000): Promise<string> {
  machine.send(`${command}; echo "<$?>"\n`);
  const output = await machine.expect(/<\d+>\r?\n/, timeoutMs);
  await machine.expect(PROMPT);
  return output;
}

/** Collects what a terminal shows. */
function listen(port: SerialPort): {
  readonly text: () => string;
  until(ready: () => boolean): Promise<void>;
} {
  let text = '';
  port.onData((bytes) => {
    text += Buffer.from(bytes).toString('latin1');
  });
  return {
    text: () => text,
    until: async (ready) => {
      const end = Date.now() + 60_000;
      while (!ready()) {
        if (Date.now() > end)
          throw new Error(`gave up; the terminal shows ${text.length}: ${text.slice(-300)}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
  };
}

/** Moves a device round the contexts until told to stop; resolves with how many moves there were. */
function keepMoving(machine: TestMachine, path: string): () => Promise<number> {
  let over = false;
  const moving = (async () => {
    let moves = 0;
    for (; !over; moves++) {
      await machine.qmp('qom-set', { path, property: 'context', value: CONTEXTS[moves % 3] });
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
    return moves;
  })();
  return () => {
    over = true;
    return moving;
  };
}

const CONSOLE = [
  ...['-chardev', 'vc,id=con0'],
  ...['-device', 'virtio-serial,id=vser,context=ctx0', '-device', 'virtconsole,chardev=con0,id=hvc'],
];

describe.runIf(stock !== undefined)('virtio-serial under Linux', () => {
  it('hvc0 is a console like ttyS0', () =>
    withLinux(CONSOLE, async (machine) => {
      expect(machine.vm.serialPortIds()).toEqual(['serial0', 'con0']);
      const hvc = machine.vm.serialPort('con0');
      const shown = listen(hvc);
      machine.send('setsid sh -c "exec sh -i </dev/hvc0 >/dev/hvc0 2>&1" &\n');
      await machine.expect(PROMPT);
      hvc.write('tty; echo $((6 * 7))\n');
      await shown.until(() => /\/dev\/hvc0\r\n42\r\n/.test(shown.text()));
    }));

  it('loses and doubles nothing, either way, while it moves between three contexts', () =>
    withLinux(CONSOLE, async (machine) => {
      const hvc = machine.vm.serialPort('con0');
      const shown = listen(hvc);
      await shell(machine, 'exec 3<>/dev/hvc0; stty -F /dev/hvc0 raw -echo');
      const typed = Buffer.from(Array.from({ length: 200_000 }, (_, i) => 33 + ((i * i) % 91)));
      const stop = keepMoving(machine, '/machine/peripheral/vser');
      machine.send('head -c 200000 <&3 | md5sum; echo "<$?>"\n');
      await new Promise((resolve) => setTimeout(resolve, 500));
      for (let at = 0; at < typed.length; at += 1000) {
        hvc.write(typed.subarray(at, at + 1000));
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      const sum = await machine.expect(/<\d+>\r?\n/);
      expect(sum).toContain(createHash('md5').update(typed).digest('hex'));
      await machine.expect(PROMPT);
      await shell(machine, 'seq 1 30000 >&3');
      const printed = Array.from({ length: 30_000 }, (_, i) => `${i + 1}\n`).join('');
      await shown.until(() => shown.text().length >= printed.length);
      expect(shown.text() === printed).toBe(true);
      expect(await stop()).toBeGreaterThan(50);
    }));
});

const NETWORK = ['-netdev', 'user,id=n0', '-device', 'virtio-net,netdev=n0,context=ctx0,id=net0'];
/** Waits until DHCP has given the guest its address. */
const LEASED = 'while ! ip -4 addr show dev eth0 | grep -q inet; do sleep 0.1; done';

describe.runIf(stock !== undefined)('virtio-net under Linux, on the user-mode network', () => {
  it('DHCP, ping, names, and the gateway’s page', () =>
    withLinux(NETWORK, async (machine) => {
      await shell(machine, LEASED);
      const address = await shell(machine, 'ip -4 addr show dev eth0; ip route; cat /etc/resolv.conf');
      expect(address).toContain('10.0.2.15/24');
      expect(address).toContain('default via 10.0.2.2');
      expect(address).toContain('nameserver 10.0.2.3');
      expect(await shell(machine, 'busybox ping -c 1 10.0.2.2')).toContain('0% packet loss');
      expect(await shell(machine, 'busybox nslookup gateway 10.0.2.3')).toMatch(/10\.0\.2\.2\b/);
      expect(await shell(machine, 'busybox nslookup example.org 10.0.2.3')).toContain('NXDOMAIN');
      const page = await shell(machine, 'busybox wget -qO- http://10.0.2.2/');
      expect(page).toContain('context       ctx0');
      expect(page).toContain('lease         10.0.2.15  52:54:00:12:34:56');
      expect(await shell(machine, 'busybox wget -T 5 -qO- http://192.0.2.1/')).toContain('refused');
      expect(await shell(machine, 'printf hello | busybox nc -w 5 10.0.2.2 7')).toContain('hello<0>');
    }));

  it('loses no TCP stream and no ping while the card moves between three contexts', () =>
    withLinux(NETWORK, async (machine) => {
      await shell(machine, LEASED);
      const { patternByte } = await import('../../src/engine/net/user/services.ts');
      const body = Uint8Array.from({ length: 3_000_000 }, (_, i) => patternByte(i));
      const stop = keepMoving(machine, '/machine/peripheral/net0');
      const sum = await shell(machine, 'busybox wget -qO- http://10.0.2.2/bytes/3000000 | md5sum');
      expect(sum).toContain(createHash('md5').update(body).digest('hex'));
      const pings = await shell(machine, 'busybox ping -A -c 300 -q 10.0.2.2');
      expect(pings).toContain('300 packets transmitted, 300 packets received, 0% packet loss');
      // Both ways at once: what went to echo comes back, after the guest's side was closed.
      await shell(machine, 'seq 1 50000 > /tmp/seq; busybox nc 10.0.2.2 7 < /tmp/seq > /tmp/back');
      expect(await shell(machine, 'cmp /tmp/seq /tmp/back')).toContain('<0>');
      expect(await stop()).toBeGreaterThan(30);
      expect(await shell(machine, 'busybox wget -qO- http://10.0.2.2/')).toMatch(
        /context {7}(ctx0|ctx1|main)/,
      );
    }));
});

describe.runIf(stock !== undefined)('two cards on a hub', () => {
  it('reach each other from different contexts, also while both move', () =>
    withLinux(
      [
        ...['-netdev', 'hubport,id=h0,hubid=3', '-device', 'virtio-net,netdev=h0,context=ctx0,id=net0'],
        ...['-netdev', 'hubport,id=h1,hubid=3', '-device', 'virtio-net,netdev=h1,context=ctx1,id=net1'],
        ...['-netdev', 'hubport,id=h2,hubid=4', '-device', 'virtio-net,netdev=h2,id=net2'],
      ],
      async (machine) => {
        await shell(machine, 'killall udhcpc; cat /sys/class/net/eth*/address');
        // The second card in a network namespace of its own: else the kernel would not use the wire.
        await shell(machine, 'unshare -n sleep 1000 & sleep 1; ip link set eth1 netns $!; P=$!');
        await shell(
          machine,
          'nsenter -n -t $P sh -c "ip addr add 192.168.7.2/24 dev eth1; ip link set eth1 up"',
        );
        await shell(machine, 'ip addr add 192.168.7.1/24 dev eth0; ip link set eth0 up');
        const stops = ['net0', 'net1'].map((id) => keepMoving(machine, `/machine/peripheral/${id}`));
        const pings = await shell(machine, 'busybox ping -A -c 200 -q 192.168.7.2');
        expect(pings).toContain('200 packets transmitted, 200 packets received');
        await shell(machine, 'seq 1 100000 > /tmp/seq');
        machine.send('nsenter -n -t $P busybox nc -l -p 99 > /tmp/got & sleep 1\n');
        await machine.expect(PROMPT);
        await shell(machine, 'busybox nc -w 3 192.168.7.2 99 < /tmp/seq; wait $!');
        expect(await shell(machine, 'cmp /tmp/seq /tmp/got')).toContain('<0>');
        for (const stop of stops) expect(await stop()).toBeGreaterThan(10);
        // The card on the other hub has seen none of it.
        const { devices } = machine.vm.board();
        expect(devices.find(({ id }) => id === 'net2')?.queues[0]?.completions).toBe(0);
      },
    ));
});
