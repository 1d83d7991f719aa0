/** Physical memory protection: 16 entries, granularity 4 bytes. */
import { HART_PMPADDR, HART_PMPCFG, PRIV_M } from '../../layout';
import { hart } from './state';

export const enum Access {
  READ = 0,
  WRITE = 1,
  EXEC = 2,
}

/** Number of entries up to the last one that is not OFF. */
let active: u32 = 0;

/** After a write of pmpcfg. */
export function updatePmp(): void {
  active = 0;
  for (let i: u32 = 0; i < 16; i++) {
    if ((load<u8>(hart + HART_PMPCFG + i) & 0x18) != 0) active = i + 1;
  }
}

/** Set by pmpAllows: some entry covers the page of the address only in part. */
export let pmpPartial: bool = false;

@inline
function pmpaddr(i: u32): u64 {
  return load<u64>(hart + ((<usize>i) << 3), HART_PMPADDR);
}

/** Whether `size` bytes at `pa` may be accessed; the lowest-numbered entry that matches decides. */
export function pmpAllows(pa: u64, size: u64, access: Access, priv: u32): bool {
  pmpPartial = false;
  const pageStart = pa & ~0xfff;
  const pageEnd = pageStart + 0x1000;
  for (let i: u32 = 0; i < active; i++) {
    const cfg = <u32>load<u8>(hart + HART_PMPCFG + i);
    const kind = (cfg >> 3) & 3;
    if (kind == 0) continue;
    let start: u64;
    let end: u64;
    const addr = pmpaddr(i);
    if (kind == 1) {
      start = i == 0 ? 0 : pmpaddr(i - 1) << 2;
      end = addr << 2;
    } else if (kind == 2) {
      start = addr << 2;
      end = start + 4;
    } else {
      const ones = ctz(~addr);
      start = (addr & ~(((<u64>1) << ones) - 1)) << 2;
      // pmpaddr all ones covers the whole address space.
      end = ones >= 54 ? ~0 : start + ((<u64>8) << ones);
    }
    if (start >= end) continue;
    if (start < pageEnd && end > pageStart && (start > pageStart || end < pageEnd)) pmpPartial = true;
    if (pa >= end || pa + size <= start) continue;
    if (pa < start || pa + size > end) return false;
    if (priv == PRIV_M && (cfg & 0x80) == 0) return true;
    return ((cfg >> access) & 1) != 0;
  }
  return priv == PRIV_M;
}
