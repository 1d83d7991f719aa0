import { TRACE_EVENTS } from '../../trace/schema.ts';
import { formatSize, type PropertyDef, type PropertyTable } from '../property.ts';
import {
  creatableTypes,
  DEVICE_ALIASES,
  DEVICE_TABLES,
  type DeviceType,
  OBJECT_TABLES,
  propertiesOf,
} from '../types/type-registry.ts';
import { BLOCKDEV_DRIVERS, blockdevKeys } from './blockdev-option.ts';
import { CHARDEV_BACKENDS } from './char-options.ts';
import { DRIVE_NESTED, DRIVE_OPTION } from './drive-option.ts';
import { ACCEL_OPTION, CPU_OPTION, MACHINE_OPTION, MEMORY_OPTION, SMP_OPTION } from './machine-options.ts';
import { NETDEV_TYPES } from './net-options.ts';
import { OPTIONS } from './option-table.ts';

const HELP = new Set(['help', '?']);

/** `-help`: every option in one line. */
export function usage(): string {
  const lines = ['usage: vm [options]', ''];
  for (const section of new Set(OPTIONS.map((option) => option.section))) {
    lines.push(`${section}:`);
    for (const option of OPTIONS.filter((candidate) => candidate.section === section)) {
      const head = `  -${option.name}${option.value === undefined ? '' : ` ${option.value}`}`;
      lines.push(
        head.length < 34 ? `${head.padEnd(34)}${option.help}` : `${head}\n${' '.repeat(34)}${option.help}`,
      );
    }
    lines.push('');
  }
  lines.push(
    '  -version',
    '  -help',
    '',
    'Most values list what is possible: -device help, -device virtio-blk,help, -object help,',
  );
  lines.push(
    '-machine help, -cpu help, -accel help, -drive help, -blockdev help, -chardev help, -netdev help, -trace help.',
  );
  return lines.join('\n');
}

/** The answer to a value that asks for help (`help`, `virtio-blk,help`); undefined if it does not. */
export function helpFor(option: string, value: string): string | undefined {
  const parts = value.split(',');
  const asked = parts.findIndex((part) => HELP.has(part));
  if (asked < 0) return undefined;
  const name = asked === 0 ? undefined : (parts[0] ?? '').replace(/^[a-z-]+=/, '');
  switch (option) {
    case 'device':
      return name === undefined ? deviceList() : deviceHelp(name);
    case 'object':
      return name === undefined ? objectList() : objectHelp(name);
    case 'machine':
    case 'M':
      return name === undefined
        ? 'Supported machines are:\nvirt                 RISC-V virt board (default)'
        : tableHelp('virt-machine', MACHINE_OPTION);
    case 'cpu':
      return name === undefined
        ? 'Available CPUs:\n  rv64 (default)\n  max'
        : tableHelp('rv64-riscv-cpu', CPU_OPTION);
    case 'accel':
      return name === undefined ? 'Accelerators supported:\ntcg' : tableHelp('tcg', ACCEL_OPTION);
    case 'context':
      return name === undefined ? 'context options:\n  threaded=<bool>\n  backend=<default/glib>' : undefined;
    case 'smp':
      return tableHelp('smp', SMP_OPTION);
    case 'm':
      return tableHelp('memory', MEMORY_OPTION);
    case 'display':
      return 'Available display backend types:\nnone';
    case 'trace':
      return TRACE_EVENTS.map((event) => event.name).join('\n');
    case 'drive':
      return `${tableHelp('drive', DRIVE_OPTION)}\n${DRIVE_NESTED.map((key) => `  ${key}=…`).join('\n')}`;
    case 'blockdev':
      return name !== undefined && Object.hasOwn(BLOCKDEV_DRIVERS, name)
        ? `${name} options:\n${blockdevKeys(name as keyof typeof BLOCKDEV_DRIVERS)
            .map((key) => `  ${key}=…`)
            .join('\n')}`
        : `Supported formats: ${Object.keys(BLOCKDEV_DRIVERS).join(' ')}`;
    case 'chardev':
      return listOrTable('Available chardev backend types:', CHARDEV_BACKENDS, name);
    case 'netdev':
    case 'nic':
      return listOrTable('Available netdev backend types:', NETDEV_TYPES, name);
    default:
      return undefined;
  }
}

const listOrTable = (
  title: string,
  tables: Readonly<Record<string, PropertyTable>>,
  name: string | undefined,
): string => {
  const table = name !== undefined && Object.hasOwn(tables, name) ? tables[name] : undefined;
  return name === undefined || table === undefined
    ? [title, ...Object.keys(tables).map((type) => `  ${type}`)].join('\n')
    : tableHelp(name, table);
};

function deviceList(): string {
  const aliases = Object.entries(DEVICE_ALIASES);
  return creatableTypes('device')
    .map((type) => {
      const names = aliases.filter(([, target]) => target.driver === type.name).map(([alias]) => alias);
      const alias = names.length === 0 ? '' : `, alias "${names.join('", "')}"`;
      return `name "${type.name}"${alias}, desc "${type.description}"`;
    })
    .join('\n');
}

function deviceHelp(name: string): string {
  const driver = Object.hasOwn(DEVICE_ALIASES, name) ? DEVICE_ALIASES[name]?.driver : name;
  return driver !== undefined && Object.hasOwn(DEVICE_TABLES, driver)
    ? tableHelp(driver, DEVICE_TABLES[driver as DeviceType])
    : `'${name}' is not a valid device model name\n${deviceList()}`;
}

const objectList = (): string =>
  [
    'List of user creatable objects:',
    ...creatableTypes('object').map((type) => `  ${type.name.padEnd(20)}${type.description}`),
  ].join('\n');

const objectHelp = (name: string): string =>
  Object.hasOwn(OBJECT_TABLES, name)
    ? tableHelp(name, propertiesOf(name))
    : `'${name}' is not a user-creatable object type\n${objectList()}`;

function tableHelp(owner: string, table: PropertyTable): string {
  const lines = Object.entries(table)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, property]) => propertyLine(name, property));
  return [`${owner} options:`, ...lines].join('\n');
}

function propertyLine(name: string, property: PropertyDef): string {
  const type =
    property.type === 'enum' && property.choices !== undefined ? property.choices.join('/') : property.type;
  const initial = property.default === undefined ? '' : ` (default: ${defaultText(property)})`;
  return `  ${`${name}=<${type}>`.padEnd(34)} - ${property.description}${property.required ? ' (required)' : ''}${initial}`;
}

const defaultText = (property: PropertyDef): string =>
  property.type === 'size'
    ? formatSize(property.default as number)
    : String(property.write(property.default));
