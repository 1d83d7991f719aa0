import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { SerialPort } from '../../src/engine/index.ts';
import { bareMetalFiles, guestDir, startMachine, type TestMachine, withFolder } from './machine.ts';

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

describe.runIf(stock !== undefined)('a virtio-serial bus with several ports', () => {
  it('named ports beside two consoles; input waits until the guest opens; a port comes and goes', () =>
    withLinux(
      [
        '-chardev',
        'vc,id=con0',
        '-chardev',
        'vc,id=con1',
        '-chardev',
        'ringbuf,id=agent',
        '-device',
        'virtio-serial,id=vser,context=ctx0',
        '-device',
        'virtconsole,chardev=con0',
        '-device',
        'virtserialport,chardev=agent,name=org.qcontext.agent,id=port',
        '-device',
        'virtconsole,chardev=con1',
      ],
      async (machine) => {
        const names = await shell(machine, 'head /sys/class/virtio-ports/*/name; ls /dev/hvc0 /dev/hvc1');
        expect(names).toContain('org.qcontext.agent');
        expect(names).toContain('<0>');
        const port = '/dev/$(basename $(dirname $(grep -l agent /sys/class/virtio-ports/*/name)))';
        await machine.qmp('ringbuf-write', { device: 'agent', data: 'early\n' });
        await machine.qmp('qom-set', {
          path: '/machine/peripheral/vser',
          property: 'context',
          value: 'ctx1',
        });
        expect(await shell(machine, `exec 4<>${port}; head -n 1 <&4; echo answer >&4`)).toContain('early');
        // The driver does not wait until the host has taken what was written.
        await expect.poll(() => machine.qmp('ringbuf-read', { device: 'agent', size: 100 })).toBe('answer\n');
        const bus = machine.vm.board().devices.find(({ id }) => id === 'vser');
        expect(bus?.detail).toEqual({ ports: '0 con0, 1 agent, 2 con1' });
        const consoles = ['con0', 'con1'].map((id) => listen(machine.vm.serialPort(id)));
        await shell(machine, 'echo zero > /dev/hvc0; echo one > /dev/hvc1; exec 4>&-');
        await consoles[0]?.until(() => consoles[0]?.text() === 'zero\r\n');
        await consoles[1]?.until(() => consoles[1]?.text() === 'one\r\n');
        await machine.qmp('device_del', { id: 'port' });
        await shell(
          machine,
          'while ls /sys/class/virtio-ports/*/name | xargs grep agent; do sleep 0.1; done',
        );
        await machine.qmp('device_add', {
          driver: 'virtserialport',
          chardev: 'agent',
          name: 'org.qcontext.second',
          id: 'port2',
        });
        await shell(machine, 'until grep second /sys/class/virtio-ports/*/name; do sleep 0.1; done');
        // After a reset the driver finds the ports again.
        await machine.qmp('system_reset');
        await machine.expect(PROMPT, 120_000);
        expect(await shell(machine, 'cat /sys/class/virtio-ports/*/name')).toContain('org.qcontext.second');
      },
    ));
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

describe.runIf(stock !== undefined)('what is plugged and pulled while Linux runs', () => {
  it('a random number generator is found when its transport is probed again, served where it was put, and moved', () =>
    withLinux([], async (machine) => {
      await machine.qmp('device_add', { driver: 'virtio-rng-device', id: 'rng0', context: 'ctx1' });
      const slot = machine.vm.board().devices.find(({ id }) => id === 'rng0')?.slot ?? -1;
      const name = `${(0x1000_1000 + slot * 0x1000).toString(16)}.virtio_mmio`;
      const probe = `echo ${name} > /sys/bus/platform/drivers/virtio-mmio`;
      // The modules are in the initramfs only; without the driver the device shows itself all the same.
      expect(await shell(machine, `${probe}/bind; cat /sys/bus/virtio/devices/virtio*/device`)).toContain(
        '0x0004',
      );
      await machine.qmp('qom-set', { path: '/machine/peripheral/rng0', property: 'context', value: 'ctx0' });
      await shell(machine, `${probe}/unbind`);
      await machine.qmp('device_del', { id: 'rng0' });
      expect(machine.vm.board().devices.map(({ id }) => id)).toEqual(['disk0']);
    }));

  it('the cable: set_link tells the guest, and what was known before is known again', () =>
    withLinux(NETWORK, async (machine) => {
      await shell(machine, LEASED);
      await machine.qmp('set_link', { name: 'net0', up: false });
      await shell(machine, 'while grep -q 1 /sys/class/net/eth0/carrier; do sleep 0.1; done');
      expect(await shell(machine, 'busybox ping -c 1 -W 1 10.0.2.2')).toContain('100% packet loss');
      await machine.qmp('set_link', { name: 'n0', up: true });
      await shell(machine, 'while grep -q 0 /sys/class/net/eth0/carrier; do sleep 0.1; done');
      const page = await shell(machine, 'busybox wget -qO- http://10.0.2.2/');
      expect(page).toContain('lease         10.0.2.15');
      // A reset begins anew: the guest asks again, and connections of its former life are gone.
      await machine.qmp('system_reset');
      await machine.expect(PROMPT, 120_000);
      await shell(machine, LEASED);
      expect(await shell(machine, 'busybox wget -qO- http://10.0.2.2/')).toContain('connections   1');
    }));

  it('a bus with one port and no control queues: hvc0 speaks to the chardev plugged in last', () =>
    withLinux(
      [
        '-device',
        'virtio-serial,id=vser,max_ports=1,context=ctx1',
        '-chardev',
        'ringbuf,id=ring0',
        '-chardev',
        'vc,id=con0',
      ],
      async (machine) => {
        await shell(machine, 'exec 3<>/dev/hvc0; echo nobody hears >&3');
        await machine.qmp('device_add', { driver: 'virtconsole', id: 'port', chardev: 'ring0' });
        await shell(machine, 'stty raw -echo <&3; echo kept >&3');
        expect(await machine.qmp('ringbuf-read', { device: 'ring0', size: 100 })).toBe('kept\n');
        await machine.qmp('ringbuf-write', { device: 'ring0', data: 'typed\n' });
        expect(await shell(machine, 'head -n 1 <&3')).toContain('typed');
        const refused = await machine.vm.qmp('chardev-remove', { id: 'ring0' });
        expect(refused).toMatchObject({
          ok: false,
          error: { desc: expect.stringContaining('busy') as string },
        });
        await machine.qmp('device_del', { id: 'port' });
        await machine.qmp('chardev-remove', { id: 'ring0' });
        await machine.qmp('device_add', { driver: 'virtconsole', id: 'port', chardev: 'con0' });
        const shown = listen(machine.vm.serialPort('con0'));
        await shell(machine, 'echo seen >&3');
        await shown.until(() => shown.text().includes('seen\n'));
      },
    ));
});

describe('the serial port', () => {
  const run = (serial: readonly string[], use: (machine: TestMachine) => Promise<void>): Promise<void> =>
    withFolder(async (folder) => {
      const { kernel } = bareMetalFiles(folder);
      const machine = await startMachine(['-m', '64', '-kernel', kernel, ...serial]);
      await use(machine);
      await machine.stop();
    });

  it('keeps what the guest says in a ring buffer', () =>
    run(['-chardev', 'ringbuf,id=log,size=64k', '-serial', 'chardev:log'], async (machine) => {
      let text = '';
      for (let i = 0; i < 600 && !text.endsWith('> '); i++) {
        text += String(await machine.qmp('ringbuf-read', { device: 'log', size: 65_536 }));
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      expect(text).toMatch(/> $/);
      await machine.qmp('ringbuf-write', { device: 'log', data: 'help\n' });
      const reply = (): Promise<unknown> => machine.qmp('ringbuf-read', { device: 'log', size: 65_536 });
      let help = '';
      for (let i = 0; i < 100 && !help.includes('poweroff'); i++) {
        help += String(await reply());
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      expect(help).toContain('poweroff');
      expect(machine.vm.serialPortIds()).toEqual([]);
    }));

  it('is the terminal of the chardev it names', () =>
    run(['-chardev', 'vc,id=term', '-serial', 'chardev:term'], async (machine) => {
      await machine.expect(/> $/);
      machine.send('poweroff\n');
      expect(await machine.vm.ended).toEqual({ reason: 'guest-shutdown', exitCode: 0 });
    }));

  it.each([['null'], ['none']])('-serial %s: the guest runs, and nobody hears it', (target) =>
    run(['-serial', target], async (machine) => {
      await new Promise((resolve) => setTimeout(resolve, 1500));
      expect(machine.output()).toBe('');
      const [hart] = machine.vm.board().harts;
      expect(hart?.state).toBe('wfi');
    }),
  );
});

describe('devices that cannot be are refused with a reason', () => {
  it.each([
    [
      'a moved queue of a card',
      ['-netdev', 'user,id=n0', '-device', 'virtio-net,netdev=n0,id=dev'],
      'receive and transmit queues',
    ],
    ['a moved queue of a bus', ['-device', 'virtio-serial,id=dev'], 'receive and transmit queues'],
  ])('%s', (_what, devices, reason) =>
    withFolder(async (folder) => {
      const { kernel } = bareMetalFiles(folder);
      const machine = await startMachine([
        '-m',
        '64',
        '-kernel',
        kernel,
        '-object',
        'iothread,id=io0',
        ...devices,
      ]);
      const path = '/machine/peripheral/dev';
      const moved = await machine.vm.qmp('qom-set', {
        path: `${path}/virtqueue[0]`,
        property: 'context',
        value: 'io0',
      });
      expect(moved).toMatchObject({ ok: false, error: { desc: expect.stringContaining(reason) as string } });
      expect(await machine.qmp('qom-get', { path, property: 'context' })).toBe('main');
      await machine.stop();
    }),
  );

  it.each([
    ['-netdev user,id=n0,hostfwd=tcp::5555-:22', 'hostfwd'],
    ['-netdev user,id=n0,host=10.9.9.9', 'not an address in 10.0.2.0/24'],
    [
      '-netdev user,id=n0 -device virtio-net,netdev=n0,mac=01:00:00:00:00:01',
      'not the address of one station',
    ],
    ['-netdev user,id=n0 -device virtio-net,netdev=n0,csum=on', 'no offloads'],
    ['-chardev socket,id=s,path=/nowhere,server=on,wait=off -serial chardev:s', 'monitors only'],
    ['-chardev null,id=c -chardev null,id=c', 'already exists'],
    [
      '-chardev vc,id=c -serial chardev:c -device virtio-serial -device virtconsole,chardev=c',
      'already in use',
    ],
  ])('%s', (line, reason) =>
    withFolder(async (folder) => {
      const { kernel } = bareMetalFiles(folder);
      await expect(startMachine(['-m', '64', '-kernel', kernel, ...line.split(' ')])).rejects.toThrow(reason);
    }),
  );
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
        const addresses = await shell(machine, 'killall udhcpc; cat /sys/class/net/eth*/address');
        for (const last of ['56', '57', '58']) expect(addresses).toContain(`52:54:00:12:34:${last}`);
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
