import { ok, userError } from '../../base/result.ts';
import { boolean, integer, optional, string } from '../arguments.ts';
import { type Command, command, nothing } from '../command.ts';

/** QMP's `DataFormat`. */
function dataFormat(format: string | undefined) {
  if (format === undefined || format === 'utf8') return ok('utf8' as const);
  if (format === 'base64') return ok('base64' as const);
  return userError(`Parameter 'format' does not accept value '${format}'`, {
    hint: 'Possible: utf8, base64.',
  });
}

/** What is behind character devices and network cards. */
export const BACKEND_COMMANDS: readonly Command[] = [
  command(
    'ringbuf-read',
    { device: string, size: integer, format: optional(string) },
    async ({ model }, { device, size, format }) => {
      const read = dataFormat(format);
      if (!read.ok) return read;
      if (size <= 0) return userError("Parameter 'size' expects a positive number");
      return model.ops.ringbufRead(device, size, read.value);
    },
  ),
  command(
    'ringbuf-write',
    { device: string, data: string, format: optional(string) },
    async ({ model }, { device, data, format }) => {
      const read = dataFormat(format);
      return read.ok ? nothing(await model.ops.ringbufWrite(device, data, read.value)) : read;
    },
  ),
  command('set_link', { name: string, up: boolean }, async ({ model }, { name, up }) =>
    nothing(await model.ops.setLink(name, up)),
  ),
];
