import { type Assembly, assemble } from './asm/index.ts';
import blk from './blk.s?raw';
import board from './board.s?raw';
import bytecode from './bytecode.s?raw';
import commands from './commands.s?raw';
import complete from './complete.s?raw';
import cpu from './cpu.s?raw';
import disk from './disk.s?raw';
import end from './end.s?raw';
import engine from './engine.s?raw';
import entry from './entry.s?raw';
import fdt from './fdt.s?raw';
import heap from './heap.s?raw';
import histogram from './histogram.s?raw';
import job from './job.s?raw';
import layout from './layout.s?raw';
import line from './line.s?raw';
import macros from './macros.s?raw';
import main from './main.s?raw';
import menu from './menu.s?raw';
import operations from './operations.s?raw';
import pattern from './pattern.s?raw';
import plic from './plic.s?raw';
import printf from './printf.s?raw';
import privilege from './privilege.s?raw';
import random from './random.s?raw';
import report from './report.s?raw';
import sha256 from './sha256.s?raw';
import sieve from './sieve.s?raw';
import trap from './trap.s?raw';
import uart from './uart.s?raw';
import virtio from './virtio.s?raw';
import virtqueue from './virtqueue.s?raw';

/** The program, file by file. */
const SOURCES: Readonly<Record<string, string>> = {
  'blk.s': blk,
  'board.s': board,
  'bytecode.s': bytecode,
  'commands.s': commands,
  'complete.s': complete,
  'cpu.s': cpu,
  'disk.s': disk,
  'end.s': end,
  'engine.s': engine,
  'entry.s': entry,
  'fdt.s': fdt,
  'heap.s': heap,
  'histogram.s': histogram,
  'job.s': job,
  'layout.s': layout,
  'line.s': line,
  'macros.s': macros,
  'main.s': main,
  'menu.s': menu,
  'operations.s': operations,
  'pattern.s': pattern,
  'plic.s': plic,
  'printf.s': printf,
  'privilege.s': privilege,
  'random.s': random,
  'report.s': report,
  'sha256.s': sha256,
  'sieve.s': sieve,
  'trap.s': trap,
  'uart.s': uart,
  'virtio.s': virtio,
  'virtqueue.s': virtqueue,
};

/** Assembles the built-in guest, with its labels, for tests that look into its memory. */
export function assembleBareMetalProgram(): Assembly {
  return assemble('main.s', SOURCES);
}

/**
 * The image of the built-in bare-metal guest, a flat binary with the header of a RISC-V kernel image.
 * Position-independent: it starts at its first byte, in M-mode at the beginning of RAM or in S-mode
 * behind an SBI firmware, with the hart id in a0 and the device tree in a1.
 */
export function assembleBareMetal(): Uint8Array<ArrayBuffer> {
  return assembleBareMetalProgram().image;
}
