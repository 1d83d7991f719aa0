/**
 * Decoded pages: the ops of code pages, keyed by RAM page, and the way from a pc to an op.
 *
 * A page's ops are decoded from a copy of its bytes taken when it was first entered, never from RAM,
 * so what an op stands for is always known. Three things keep copy and RAM together:
 *  - this hart's stores: a decoded page is not entered into the write TLB, so its stores take the
 *    slow path, which drops the ops they touch (storedToPage); a page that turns out to be data is
 *    opened for fast stores until it is executed again (openIfData);
 *  - anybody else's stores (other harts, devices): after fence.i every page is compared with its
 *    copy before it is executed again (recheck);
 *  - `flush` of the whole hart.
 */
import {
  DECODE_BUCKETS,
  DECODE_PAGES,
  HART_COUNT_PAGES_DECODED,
  HART_DECODE_HASH,
  HART_DECODE_PAGES,
  HART_JIT_QUEUE,
  HART_JIT_QUEUED,
  HART_JIT_THRESHOLD,
  HART_STRADDLE,
  JIT_QUEUE_LENGTH,
  PAGE_CHECKED,
  PAGE_COPY,
  PAGE_END_OPS,
  PAGE_GENERATION,
  PAGE_HEAT,
  PAGE_HEAT_LIMIT,
  PAGE_NEXT,
  PAGE_OPS,
  PAGE_RAM,
  PAGE_SAMPLE_COUNT,
  PAGE_SAMPLES,
  PAGE_STORE_LIMIT,
  PAGE_STORES,
  PAGE_STRIDE,
  PAGE_TRANSLATED,
} from '../../layout';
import { Cause } from './cause';
import { decodeHalfword, decodeWord } from './decode';
import { accessFaultCause, faultCause, hostOf, inRam, translate } from './mmu';
import { Op } from './ops';
import { Access, pmpAllows } from './pmp';
import { count, hart, privilege } from './state';
import { execContext, execTlb, flushData, flushExec, tlbIndex } from './tlb';

/** Where the run loop goes on: the op, and what makes its address a pc: pc = pcBias + (op >> 2). */
export let nextOp: usize = 0;
export let pcBias: u64 = 0;

/** Increments with fence.i; pages whose PAGE_CHECKED differs are compared before use. */
let checkGeneration: u32 = 1;
/** Slot of the next page to take from the pool. */
let cursor: u32 = 0;
/** Pages freed ahead of need, so that the exec TLB is flushed once per batch. */
const EVICT_BATCH: u32 = 32;
/** Stores after which a page is opened for the first time. */
const FIRST_STORE_LIMIT: u16 = 16;
let freeAhead: u32 = 0;

@inline
export function setNext(op: usize, bias: u64): void {
  nextOp = op;
  pcBias = bias;
}

@inline
function bucketOf(ram: usize): usize {
  return hart + HART_DECODE_HASH + (((ram >> 12) & (DECODE_BUCKETS - 1)) << 2);
}

/** The decoded page of a RAM page (host address), 0 if there is none. */
export function findPage(ram: usize): usize {
  let page = <usize>load<u32>(bucketOf(ram));
  while (page != 0 && <usize>load<u32>(page, PAGE_RAM) != ram) page = load<u32>(page, PAGE_NEXT);
  return page;
}

function unlink(page: usize): void {
  let link = bucketOf(load<u32>(page, PAGE_RAM));
  while (<usize>load<u32>(link) != page) link = <usize>load<u32>(link) + PAGE_NEXT;
  store<u32>(link, load<u32>(page, PAGE_NEXT));
  store<u32>(page, 0, PAGE_RAM);
}

function writeEnd(ops: usize): void {
  store<u64>(ops, Op.PAGE_END);
  store<u64>(ops, Op.PAGE_END, 8);
}

/** Empties the pool: cold start. */
export function resetPages(): void {
  memory.fill(hart + HART_DECODE_HASH, 0, DECODE_BUCKETS << 2);
  for (let i: u32 = 0; i < <u32>DECODE_PAGES; i++) {
    const page = hart + HART_DECODE_PAGES + i * PAGE_STRIDE;
    if (load<u32>(page, PAGE_RAM) != 0) {
      store<u32>(page, 0, PAGE_RAM);
      store<u32>(page, load<u32>(page, PAGE_GENERATION) + 1, PAGE_GENERATION);
    }
  }
  cursor = 0;
  freeAhead = 0;
  const straddle = hart + HART_STRADDLE;
  writeEnd(straddle + PAGE_END_OPS);
  store<u64>(straddle + PAGE_OPS, Op.FETCH_FAULT);
}

function evictBatch(): void {
  let evicted = false;
  for (let i: u32 = 0; i < EVICT_BATCH; i++) {
    const page = hart + HART_DECODE_PAGES + ((cursor + i) % DECODE_PAGES) * PAGE_STRIDE;
    if (load<u32>(page, PAGE_RAM) == 0) continue;
    unlink(page);
    store<u32>(page, load<u32>(page, PAGE_GENERATION) + 1, PAGE_GENERATION);
    evicted = true;
  }
  if (evicted) flushExec();
  freeAhead = EVICT_BATCH;
}

function newPage(ram: usize): usize {
  if (freeAhead == 0) evictBatch();
  freeAhead--;
  const page = hart + HART_DECODE_PAGES + cursor * PAGE_STRIDE;
  cursor = (cursor + 1) % DECODE_PAGES;
  memory.fill(page + PAGE_OPS, 0, 4096 << 2);
  memory.copy(page + PAGE_COPY, ram, 4096);
  writeEnd(page + PAGE_END_OPS);
  const bucket = bucketOf(ram);
  store<u32>(page, <u32>ram, PAGE_RAM);
  store<u32>(page, load<u32>(bucket), PAGE_NEXT);
  store<u32>(page, checkGeneration, PAGE_CHECKED);
  store<u32>(page, 0, PAGE_HEAT);
  store<u32>(page, 0, PAGE_TRANSLATED);
  store<u16>(page, 0, PAGE_STORES);
  store<u16>(page, FIRST_STORE_LIMIT, PAGE_STORE_LIMIT);
  store<u32>(page, load<u32>(hart, HART_JIT_THRESHOLD), PAGE_HEAT_LIMIT);
  store<u32>(bucket, <u32>page);
  count(HART_COUNT_PAGES_DECODED);
  // The page may be in a write TLB.
  flushData();
  return page;
}

/** Increments whenever translated code is dropped because of a store. */
export let translationsDropped: u32 = 0;

/** Makes the page's entries into translated code ordinary ops again. */
export function dropTranslation(page: usize): void {
  if (load<u32>(page, PAGE_TRANSLATED) == 0) return;
  for (let op = page + PAGE_OPS; op < page + PAGE_END_OPS; op += 8) {
    if (load<u8>(op) == Op.JIT) decodeAt(op);
  }
  store<u32>(page, 0, PAGE_TRANSLATED);
  translationsDropped++;
}

/**
 * Drops the ops whose instructions may include one of the bytes [offset, offset + size). Translated
 * code is made from decoded ops only, so it goes if one of those is hit, and stays if the bytes are data.
 */
function dropOps(page: usize, offset: i32, size: i32): void {
  const first = max<i32>(offset - 2, 0) & ~1;
  const last = min<i32>(offset + size - 1, 4095);
  let dropped = false;
  for (let at = first; at <= last; at += 2) {
    const op = page + PAGE_OPS + ((<usize>at) << 2);
    if (load<u64>(op) == 0) continue;
    store<u64>(op, 0);
    dropped = true;
  }
  if (!dropped) return;
  store<u32>(page, load<u32>(page, PAGE_GENERATION) + 1, PAGE_GENERATION);
  dropTranslation(page);
}

/** This hart has stored `size` bytes at `host`, within the RAM page of `page`. */
export function storedToPage(page: usize, host: usize, size: u32): void {
  const offset = host & 0xfff;
  memory.copy(page + PAGE_COPY + offset, host, size);
  dropOps(page, <i32>offset, <i32>size);
  store<u16>(page, <u16>min(load<u16>(page, PAGE_STORES) + 1, 0xffff), PAGE_STORES);
}

/** Whether a page may be in a write TLB although it is decoded. */
@inline
export function isOpen(page: usize): bool {
  return load<u32>(page, PAGE_CHECKED) == 0;
}

/**
 * Opens a page that many stores went to: most likely it is data now. It is compared with its copy, and
 * closed, when it is executed again; so it must not be what is being executed, by the op at `op`.
 */
export function openIfData(page: usize, op: usize): void {
  if (load<u16>(page, PAGE_STORES) < load<u16>(page, PAGE_STORE_LIMIT)) return;
  if (op < hart + HART_DECODE_PAGES || pageOf(op) == page) return;
  store<u32>(page, 0, PAGE_CHECKED);
  flushExec();
}

/** A page that was open is executed again: takes it out of the write TLBs, and waits longer the next time. */
function close(page: usize): void {
  store<u16>(page, 0, PAGE_STORES);
  store<u16>(page, <u16>min<u32>(load<u16>(page, PAGE_STORE_LIMIT) << 1, 0x8000), PAGE_STORE_LIMIT);
  flushData();
}

/** Compares a page with RAM and drops what differs. */
function recheck(page: usize): void {
  const ram = <usize>load<u32>(page, PAGE_RAM);
  const copy = page + PAGE_COPY;
  for (let at: usize = 0; at < 4096; at += 16) {
    const now = v128.load(ram + at);
    if (v128.any_true(v128.xor(now, v128.load(copy + at)))) {
      v128.store(copy + at, now);
      dropOps(page, <i32>at, 16);
    }
  }
  store<u32>(page, checkGeneration, PAGE_CHECKED);
}

/** fence.i, as far as the caches go; the caller enters its next pc anew. */
export function fenceI(): void {
  checkGeneration++;
  flushExec();
}

/** The decoded page for executing at `pc`, 0 with faultCause set if the fetch faults. */
function resolve(pc: u64): usize {
  const priv = privilege();
  const pa = translate(pc, Access.EXEC, priv, false, false);
  if (faultCause != Cause.NONE) return 0;
  if (!inRam(pa & ~0xfff, 4096) || !pmpAllows(pa, 2, Access.EXEC, priv)) {
    fetchAccessFault = true;
    return 0;
  }
  const ram = hostOf(pa & ~0xfff);
  const page = findPage(ram);
  if (page == 0) return newPage(ram);
  if (load<u32>(page, PAGE_CHECKED) != checkGeneration) {
    if (isOpen(page)) close(page);
    recheck(page);
  }
  return page;
}

let fetchAccessFault: bool = false;

/** Finds the op at `pc` and publishes it in nextOp and pcBias; a fetch that faults has an op, too. */
export function enter(pc: u64): void {
  const pageVa = pc & ~0xfff;
  let ops: usize;
  const index = tlbIndex(pc);
  if (load<u64>(execTlb + index) == (pageVa | execContext)) {
    ops = load<u32>(execTlb + index, 8);
  } else {
    const page = resolve(pc);
    if (page == 0) {
      nextOp = hart + HART_STRADDLE + PAGE_OPS;
      pcBias = pc - (nextOp >> 2);
      return;
    }
    ops = page + PAGE_OPS;
    // resolve may have moved on to a new context number.
    store<u64>(execTlb + index, pageVa | execContext);
    store<u32>(execTlb + index, <u32>ops, 8);
  }
  nextOp = ops + ((<usize>pc & 0xffe) << 2);
  pcBias = pageVa - (ops >> 2);
}

/** Cause of the fault of fetching at `pc`, Cause.NONE if it doesn't fault (any more). */
export function fetchFaultCause(pc: u64): i32 {
  fetchAccessFault = false;
  if (resolve(pc) != 0) return Cause.NONE;
  return fetchAccessFault ? accessFaultCause(Access.EXEC) : faultCause;
}

/** Decodes the op at `op`, which lies in some page of the pool. */
export function decodeAt(op: usize): void {
  const pool = hart + HART_DECODE_PAGES;
  const page = pool + ((op - pool) / PAGE_STRIDE) * PAGE_STRIDE;
  const offset = (op - page - PAGE_OPS) >> 2;
  const halfword = <u32>load<u16>(page + PAGE_COPY + offset);
  if ((halfword & 3) != 3) decodeHalfword(op, halfword, <i32>offset, true);
  else if (offset == 0xffe) store<u64>(op, Op.STRADDLE);
  else decodeWord(op, load<u32>(page + PAGE_COPY + offset), <i32>offset, true);
}

/**
 * Enters the 4-byte instruction at `pc`, whose second half is in the next page. Returns whether that
 * half could be fetched; if not, fetchFaultCause(pc + 2) says why.
 */
export function enterStraddle(op: usize, pc: u64): bool {
  const pool = hart + HART_DECODE_PAGES;
  const page = pool + ((op - pool) / PAGE_STRIDE) * PAGE_STRIDE;
  const low = <u32>load<u16>(page + PAGE_COPY + 0xffe);
  const second = resolve(pc + 2);
  if (second == 0) return false;
  const straddle = hart + HART_STRADDLE;
  nextOp = straddle + PAGE_OPS + (0xffe << 2);
  pcBias = pc - (nextOp >> 2);
  decodeWord(nextOp, low | ((<u32>load<u16>(second + PAGE_COPY)) << 16), 0xffe, false);
  return true;
}

/** Bits of the instruction at `pc`, 2 or 4 bytes, for xtval; it has just been fetched. */
export function fetchBits(pc: u64): u32 {
  const first = resolve(pc);
  if (first == 0) return 0;
  const low = <u32>load<u16>(first + PAGE_COPY + (<usize>pc & 0xffe));
  if ((low & 3) != 3) return low;
  const second = (pc & 0xffe) == 0xffe ? resolve(pc + 2) : first;
  if (second == 0) return low;
  return low | ((<u32>load<u16>(second + PAGE_COPY + (<usize>(pc + 2) & 0xffe))) << 16);
}

/** The decoded page an op of the pool lies in. */
@inline
export function pageOf(op: usize): usize {
  const pool = hart + HART_DECODE_PAGES;
  return pool + ((op - pool) / PAGE_STRIDE) * PAGE_STRIDE;
}

/**
 * Enters the instruction at `pc` itself where the op at `op` leads into translated code: it is
 * decoded into the straddle page, whose next ops lead back to the instruction behind it.
 */
export function enterOriginal(op: usize, pc: u64): void {
  const bytes = pageOf(op) + PAGE_COPY + (<usize>pc & 0xffe);
  const halfword = <u32>load<u16>(bytes);
  const slot = hart + HART_STRADDLE + PAGE_OPS + (0xffe << 2);
  setNext(slot, pc - (slot >> 2));
  if ((halfword & 3) != 3) decodeHalfword(slot, halfword, 0xffe, false);
  else decodeWord(slot, load<u32>(bytes), 0xffe, false);
}

/** A sample of where the interpreter is; pages it is often in are queued for translation. */
export function sampleHeat(op: usize): void {
  if (op < hart + HART_DECODE_PAGES || load<u8>(op) == Op.JIT) return;
  const page = pageOf(op);
  const heat = load<u32>(page, PAGE_HEAT) + 1;
  store<u32>(page, heat, PAGE_HEAT);
  const sample = page + ((heat & (PAGE_SAMPLE_COUNT - 1)) << 1);
  store<u16>(sample, <u16>((op - page - PAGE_OPS) >> 2), PAGE_SAMPLES);
  if (heat != load<u32>(page, PAGE_HEAT_LIMIT)) return;
  const queued = load<u32>(hart, HART_JIT_QUEUED);
  if (queued == <u32>JIT_QUEUE_LENGTH) {
    store<u32>(page, heat - 1, PAGE_HEAT);
    return;
  }
  store<u32>(hart + (queued << 2), <u32>page, HART_JIT_QUEUE);
  store<u32>(hart, queued + 1, HART_JIT_QUEUED);
}
