/** Placeholder until the F and D extensions are in: every such instruction is illegal. */
import { Cause } from './cause';
import { takeException } from './trap';

export function execFloat(insn: u32, pc: u64): bool {
  takeException(Cause.ILLEGAL, insn, pc);
  return false;
}
