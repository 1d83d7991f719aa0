import { ok, type Result, userError } from '../../base/result.ts';
import type { VirtioStatus, VirtqueueStatus } from '../../qom/machine-ops.ts';
import { integer, optional, string } from '../arguments.ts';
import { type Command, command, type CommandContext } from '../command.ts';
import { deviceFeatureNames, statusNames, transportFeatureNames } from '../virtio-names.ts';

/** The virtio device at a path, which may be partial or a device's id. */
export function virtioAt(
  { model }: Pick<CommandContext, 'model'>,
  path: string,
): Result<{ readonly path: string; readonly status: VirtioStatus }> {
  const object = model.resolve(path);
  const at = object.ok ? object.value.path : path;
  const status = model.ops.virtio(at);
  if (status !== undefined) return ok({ path: at, status });
  const known = model
    .devices()
    .flatMap(({ spec }) => (model.ops.virtio(spec.qomPath) === undefined ? [] : [spec.qomPath]));
  return userError(`Path ${path} is not a VirtIODevice`, {
    hint: `VirtIO devices: ${known.join(', ') || 'none'}.`,
  });
}

export function queueAt(status: VirtioStatus, queue: number): Result<VirtqueueStatus> {
  const found = status.queues.find((candidate) => candidate.index === queue);
  return found === undefined
    ? userError(`Invalid virtqueue number ${queue}`, { hint: `The device has ${status.queues.length}.` })
    : ok(found);
}

const features = (status: VirtioStatus, bits: bigint) => ({
  transports: transportFeatureNames(bits),
  'dev-features': deviceFeatureNames(status.deviceId, bits),
});

export const VIRTIO_COMMANDS: readonly Command[] = [
  command('x-query-virtio', {}, ({ model }) =>
    ok(
      model.devices().flatMap(({ spec }) => {
        const status = model.ops.virtio(spec.qomPath);
        return status === undefined ? [] : [{ path: spec.qomPath, name: status.deviceName }];
      }),
    ),
  ),
  command('x-query-virtio-status', { path: string }, (context, { path }) => {
    const device = virtioAt(context, path);
    if (!device.ok) return device;
    const { status } = device.value;
    return ok({
      name: status.deviceName,
      'device-id': status.deviceId,
      'vhost-started': status.vhostStarted,
      'device-endian': 'little',
      'num-vqs': status.queues.length,
      status: { statuses: statusNames(status.status) },
      isr: status.isr,
      'vm-running': context.model.ops.status() === 'running',
      broken: status.broken,
      started: status.started,
      'bus-name': 'virtio-mmio-bus',
      'host-features': features(status, status.hostFeatures),
      'guest-features': features(status, status.guestFeatures),
      'backend-features': features(status, 0n),
    });
  }),
  command('x-query-virtio-queue-status', { path: string, queue: integer }, (context, { path, queue }) => {
    const device = virtioAt(context, path);
    if (!device.ok) return device;
    const found = queueAt(device.value.status, queue);
    if (!found.ok) return found;
    const vq = found.value;
    return ok({
      name: device.value.status.deviceName,
      'queue-index': vq.index,
      'queue-name': vq.name,
      context: vq.contextId,
      inuse: vq.inuse,
      'vring-num': vq.vringNum,
      'vring-num-default': vq.vringNumDefault,
      'vring-align': vq.vringAlign,
      'vring-desc': vq.desc,
      'vring-avail': vq.avail,
      'vring-used': vq.used,
      'last-avail-idx': vq.lastAvailIdx,
      'shadow-avail-idx': vq.shadowAvailIdx,
      'used-idx': vq.usedIdx,
      'signalled-used': vq.signalledUsed,
      'signalled-used-valid': vq.signalledUsedValid,
    });
  }),
  command(
    'x-query-virtio-queue-element',
    { path: string, queue: integer, index: optional(integer) },
    (context, { path, queue, index }) => {
      const device = virtioAt(context, path);
      if (!device.ok) return device;
      const found = queueAt(device.value.status, queue);
      if (!found.ok) return found;
      const element = context.model.ops.virtqueueElement(device.value.path, queue, index);
      return element.ok ? ok({ name: device.value.status.deviceName, ...element.value }) : element;
    },
  ),
];
