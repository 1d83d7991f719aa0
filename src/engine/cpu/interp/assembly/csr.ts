/** Control and status registers: which there are, who may touch them, and what their fields hold. */
import {
  HART_CYCLE_DELTA,
  HART_FFLAGS,
  HART_FRM,
  HART_ID,
  HART_INSTRET_DELTA,
  HART_IRQ_LINES,
  HART_MCAUSE,
  HART_MCOUNTEREN,
  HART_MEDELEG,
  HART_MENVCFG,
  HART_MEPC,
  HART_MIDELEG,
  HART_MIE,
  HART_MIP,
  HART_MSCRATCH,
  HART_MTVAL,
  HART_MTVEC,
  HART_PMPADDR,
  HART_PMPCFG,
  HART_SATP,
  HART_SCAUSE,
  HART_SCOUNTEREN,
  HART_SENVCFG,
  HART_SEPC,
  HART_SSCRATCH,
  HART_STIMECMP,
  HART_STVAL,
  HART_STVEC,
  MIP_MEIP,
  MIP_MSIP,
  MIP_MTIP,
  MIP_SEIP,
  MIP_SSIP,
  MIP_STIP,
  PRIV_M,
  PRIV_S,
} from '../../layout';
import {
  MENVCFG_FIOM,
  MENVCFG_STCE,
  MSTATUS_FS,
  MSTATUS_MIE,
  MSTATUS_MPIE,
  MSTATUS_MPP,
  MSTATUS_MPRV,
  MSTATUS_MXR,
  MSTATUS_SD,
  MSTATUS_SIE,
  MSTATUS_SPIE,
  MSTATUS_SPP,
  MSTATUS_SUM,
  MSTATUS_TSR,
  MSTATUS_TVM,
  MSTATUS_TW,
  MSTATUS_XL,
} from './cause';
import { timeTicks } from './host';
import { updatePmp } from './pmp';
import { cell, executedNow, hart, mstatus, privilege, setCell, setMstatus } from './state';
import { flushAll, selectContext, updateMode } from './tlb';
import { pendingBits, stimecmpActive, updateTimers } from './trap';

/** The bits of sstatus that can be written. */
export const SSTATUS: u64 = MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP | MSTATUS_FS | MSTATUS_SUM | MSTATUS_MXR;
const SSTATUS_UXL: u64 = 2 << 32;
const MSTATUS_WRITABLE: u64 =
  SSTATUS | MSTATUS_MIE | MSTATUS_MPIE | MSTATUS_MPRV | MSTATUS_TVM | MSTATUS_TW | MSTATUS_TSR;
const S_INTERRUPTS: u64 = MIP_SSIP | MIP_STIP | MIP_SEIP;
const M_INTERRUPTS: u64 = MIP_MSIP | MIP_MTIP | MIP_MEIP;
/** RV64, A C D F I M S U. */
const MISA: u64 = ((<u64>2) << 62) | 0x14112d;
/** Exceptions that can be delegated: all but ECALL from M. */
const MEDELEG_WRITABLE: u64 = 0xb3ff;
const COUNTERS: u64 = 0xffffffff;

/** Set when the last csrRead or csrWrite named a register that is not there or not accessible. */
export let csrIllegal: bool = false;

function illegal(): u64 {
  csrIllegal = true;
  return 0;
}

@inline
function fs(): u64 {
  return mstatus() & MSTATUS_FS;
}

function statusValue(mask: u64): u64 {
  const status = mstatus();
  return (status & mask) | (fs() == MSTATUS_FS ? MSTATUS_SD : 0);
}

/** Whether the current mode may read counter `index` (0 cycle, 1 time, 2 instret, 3… hpm). */
function counterReadable(index: u64): bool {
  const priv = privilege();
  if (priv < <u32>PRIV_M && ((cell(HART_MCOUNTEREN) >> index) & 1) == 0) return false;
  return !(priv < <u32>PRIV_S && ((cell(HART_SCOUNTEREN) >> index) & 1) == 0);
}

function stimecmpAccessible(): bool {
  if (privilege() == PRIV_M) return true;
  return (cell(HART_MENVCFG) & MENVCFG_STCE) != 0 && ((cell(HART_MCOUNTEREN) >> 1) & 1) != 0;
}

/** Retired instructions before the current one. */
@inline
function instret(): u64 {
  return executedNow() - 1 + cell(HART_INSTRET_DELTA);
}

@inline
function cycle(): u64 {
  return executedNow() - 1 + cell(HART_CYCLE_DELTA);
}

function readPmp(csr: u32): u64 {
  if (csr >= 0x3b0) return load<u64>(hart + ((csr - 0x3b0) << 3), HART_PMPADDR);
  if (csr & 1) return illegal();
  return load<u64>(hart + ((csr - 0x3a0) << 2), HART_PMPCFG);
}

/** Value of a CSR; privilege by number is checked already, what fields deny is checked here. */
export function csrRead(csr: u32): u64 {
  csrIllegal = false;
  if (csr >= 0x3a0 && csr <= 0x3bf) return csr <= 0x3a3 || csr >= 0x3b0 ? readPmp(csr) : illegal();
  if (csr >= 0xc03 && csr <= 0xc1f) return counterReadable(csr - 0xc00) ? 0 : illegal();
  if ((csr >= 0xb03 && csr <= 0xb1f) || (csr >= 0x323 && csr <= 0x33f)) return 0;
  switch (csr) {
    case 0x001:
      return fs() == 0 ? illegal() : load<u32>(hart, HART_FFLAGS);
    case 0x002:
      return fs() == 0 ? illegal() : load<u32>(hart, HART_FRM);
    case 0x003:
      return fs() == 0 ? illegal() : load<u32>(hart, HART_FFLAGS) | (load<u32>(hart, HART_FRM) << 5);
    case 0xc00:
      return counterReadable(0) ? cycle() : illegal();
    case 0xc01:
      return counterReadable(1) ? <u64>timeTicks() : illegal();
    case 0xc02:
      return counterReadable(2) ? instret() : illegal();

    case 0x100:
      return statusValue(SSTATUS) | SSTATUS_UXL;
    case 0x104:
      return cell(HART_MIE) & cell(HART_MIDELEG);
    case 0x105:
      return cell(HART_STVEC);
    case 0x106:
      return cell(HART_SCOUNTEREN);
    case 0x10a:
      return cell(HART_SENVCFG);
    case 0x140:
      return cell(HART_SSCRATCH);
    case 0x141:
      return cell(HART_SEPC);
    case 0x142:
      return cell(HART_SCAUSE);
    case 0x143:
      return cell(HART_STVAL);
    case 0x144:
      updateTimers();
      return pendingBits() & cell(HART_MIDELEG);
    case 0x14d:
      return stimecmpAccessible() ? atomic.load<u64>(hart, HART_STIMECMP) : illegal();
    case 0x180:
      return privilege() == PRIV_S && (mstatus() & MSTATUS_TVM) != 0 ? illegal() : cell(HART_SATP);

    case 0x300:
      return statusValue(~0) | MSTATUS_XL;
    case 0x301:
      return MISA;
    case 0x302:
      return cell(HART_MEDELEG);
    case 0x303:
      return cell(HART_MIDELEG);
    case 0x304:
      return cell(HART_MIE);
    case 0x305:
      return cell(HART_MTVEC);
    case 0x306:
      return cell(HART_MCOUNTEREN);
    case 0x30a:
      return cell(HART_MENVCFG);
    case 0x320:
      return 0;
    case 0x340:
      return cell(HART_MSCRATCH);
    case 0x341:
      return cell(HART_MEPC);
    case 0x342:
      return cell(HART_MCAUSE);
    case 0x343:
      return cell(HART_MTVAL);
    case 0x344:
      updateTimers();
      return pendingBits();
    case 0xb00:
      return cycle();
    case 0xb02:
      return instret();
    case 0xf11:
    case 0xf12:
    case 0xf13:
    case 0xf15:
      return 0;
    case 0xf14:
      return load<u32>(hart, HART_ID);
    default:
      return illegal();
  }
}

/**
 * The bits a read-modify-write instruction starts from. They differ from the value read only for
 * mip and sip: an interrupt line's level must not end up in the software-writable bit.
 */
export function csrModifyBase(csr: u32, read: u64): u64 {
  return csr == 0x344 || csr == 0x144 ? (read & ~(<u64>MIP_SEIP)) | (cell(HART_MIP) & MIP_SEIP) : read;
}

function writeFloat(offset: usize, value: u64): void {
  if (fs() == 0) {
    illegal();
    return;
  }
  store<u32>(hart + offset, <u32>value);
  setMstatus(mstatus() | MSTATUS_FS);
}

function writeStatus(value: u64, mask: u64): void {
  let next = (mstatus() & ~mask) | (value & mask);
  if (mask & MSTATUS_MIE) {
    // MPP is WARL: 2 is no mode.
    const mpp = value & MSTATUS_MPP;
    if (mpp >> 11 != 2) next = (next & ~MSTATUS_MPP) | mpp;
  }
  setMstatus(next);
  updateMode();
}

function writeInterruptPending(value: u64, mask: u64): void {
  if (mask & MIP_SSIP) {
    if (value & MIP_SSIP) atomic.or<u32>(hart, MIP_SSIP, HART_IRQ_LINES);
    else atomic.and<u32>(hart, ~MIP_SSIP, HART_IRQ_LINES);
  }
  const rest = mask & (MIP_STIP | MIP_SEIP);
  setCell(HART_MIP, (cell(HART_MIP) & ~rest) | (value & rest));
}

function writeSatp(value: u64): void {
  const mode = value >> 60;
  if (mode != 0 && mode != 8 && mode != 9) return;
  setCell(HART_SATP, mode == 0 ? 0 : value);
  selectContext();
}

function writePmp(csr: u32, value: u64): void {
  if (csr < 0x3b0) {
    if (csr & 1) {
      illegal();
      return;
    }
    for (let i: u32 = 0; i < 8; i++) {
      const at = hart + HART_PMPCFG + ((csr - 0x3a0) << 2) + i;
      const cfg = <u32>(value >> (i << 3)) & 0x9f;
      // A locked entry stays; write without read is reserved.
      if ((load<u8>(at) & 0x80) == 0 && (cfg & 3) != 2) store<u8>(at, <u8>cfg);
    }
    updatePmp();
  } else {
    const i = csr - 0x3b0;
    const at = hart + HART_PMPCFG + i;
    const nextLockedTor = i < 15 && (load<u8>(at, 1) & 0x98) == 0x88;
    if ((load<u8>(at) & 0x80) == 0 && !nextLockedTor) {
      store<u64>(hart + (i << 3), value & 0x3fffffffffffff, HART_PMPADDR);
    }
  }
  flushAll();
}

@inline
function writeVector(offset: usize, value: u64): void {
  // Reserved modes keep the direct one.
  setCell(offset, value & ((value & 3) == 1 ? ~2 : ~3));
}

/** Writes a CSR; read-only numbers are refused by the caller. */
export function csrWrite(csr: u32, value: u64): void {
  csrIllegal = false;
  if (csr >= 0x3a0 && csr <= 0x3bf) {
    if (csr <= 0x3a3 || csr >= 0x3b0) writePmp(csr, value);
    else illegal();
    return;
  }
  if ((csr >= 0xb03 && csr <= 0xb1f) || (csr >= 0x323 && csr <= 0x33f)) return;
  switch (csr) {
    case 0x001:
      return writeFloat(HART_FFLAGS, value & 31);
    case 0x002:
      return writeFloat(HART_FRM, value & 7);
    case 0x003:
      writeFloat(HART_FFLAGS, value & 31);
      return writeFloat(HART_FRM, (value >> 5) & 7);

    case 0x100:
      return writeStatus(value, SSTATUS);
    case 0x104: {
      const mask = cell(HART_MIDELEG);
      return setCell(HART_MIE, (cell(HART_MIE) & ~mask) | (value & mask));
    }
    case 0x105:
      return writeVector(HART_STVEC, value);
    case 0x106:
      return setCell(HART_SCOUNTEREN, value & COUNTERS);
    case 0x10a:
      return setCell(HART_SENVCFG, value & MENVCFG_FIOM);
    case 0x140:
      return setCell(HART_SSCRATCH, value);
    case 0x141:
      return setCell(HART_SEPC, value & ~1);
    case 0x142:
      return setCell(HART_SCAUSE, value);
    case 0x143:
      return setCell(HART_STVAL, value);
    case 0x144:
      return writeInterruptPending(value, cell(HART_MIDELEG) & MIP_SSIP);
    case 0x14d:
      if (!stimecmpAccessible()) {
        illegal();
        return;
      }
      atomic.store<u64>(hart, value, HART_STIMECMP);
      return updateTimers();
    case 0x180:
      if (privilege() == PRIV_S && (mstatus() & MSTATUS_TVM) != 0) {
        illegal();
        return;
      }
      return writeSatp(value);

    case 0x300:
      return writeStatus(value, MSTATUS_WRITABLE);
    case 0x301:
    case 0x320:
      return;
    case 0x302:
      return setCell(HART_MEDELEG, value & MEDELEG_WRITABLE);
    case 0x303:
      return setCell(HART_MIDELEG, value & S_INTERRUPTS);
    case 0x304:
      return setCell(HART_MIE, value & (S_INTERRUPTS | M_INTERRUPTS));
    case 0x305:
      return writeVector(HART_MTVEC, value);
    case 0x306:
      return setCell(HART_MCOUNTEREN, value & COUNTERS);
    case 0x30a:
      setCell(HART_MENVCFG, value & (MENVCFG_FIOM | MENVCFG_STCE));
      return updateTimers();
    case 0x340:
      return setCell(HART_MSCRATCH, value);
    case 0x341:
      return setCell(HART_MEPC, value & ~1);
    case 0x342:
      return setCell(HART_MCAUSE, value);
    case 0x343:
      return setCell(HART_MTVAL, value);
    case 0x344:
      return writeInterruptPending(value, stimecmpActive() ? MIP_SSIP | MIP_SEIP : S_INTERRUPTS);
    case 0xb00:
      // The write takes effect after this instruction has been counted.
      return setCell(HART_CYCLE_DELTA, value - executedNow());
    case 0xb02:
      return setCell(HART_INSTRET_DELTA, value - executedNow());
    default:
      illegal();
  }
}
