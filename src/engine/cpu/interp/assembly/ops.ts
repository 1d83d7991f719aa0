/**
 * Handler numbers of decoded ops, the first byte of an op.
 *
 * An instruction of 4 bytes and its compressed form have different handlers where both are common,
 * so that each knows how far to step without reading a length. `*_FAR` leave the page.
 */
export const enum Op {
  /** Not decoded yet; must be 0, the content of fresh memory. */
  UNDECODED = 0,
  /** Behind the last halfword of a page: continue in the next page. */
  PAGE_END,
  /** A 4-byte instruction whose second half lies in the next page. */
  STRADDLE,
  /** The fetch of the current pc faults (see pages.ts). */
  FETCH_FAULT,
  /** imm = the instruction's bits, 2 or 4 bytes. */
  ILLEGAL,
  /** imm = the instruction's 4 bytes: executed by re-decoding it; may trap or change modes. */
  SYSTEM,
  /** imm = the instruction's 4 bytes: LR, SC and AMO; may fault. */
  ATOMIC,
  /** imm = the instruction's 4 bytes: OP-FP and the fused multiply-adds. */
  FLOAT,
  /** imm = the instruction's 4 bytes: a load into x0, done for its faults and side effects. */
  LOAD_X0,
  /** imm = the table slot of a translated region that starts here. */
  JIT,

  NOP,
  C_NOP,
  FENCE,
  /** rd = imm, sign-extended (LUI, LI). */
  LI,
  C_LI,
  AUIPC,
  MV,
  C_MV,

  ADDI,
  C_ADDI,
  SLTI,
  SLTIU,
  XORI,
  ORI,
  ANDI,
  C_ANDI,
  SLLI,
  C_SLLI,
  SRLI,
  C_SRLI,
  SRAI,
  C_SRAI,
  ADDIW,
  C_ADDIW,
  SLLIW,
  SRLIW,
  SRAIW,

  ADD,
  C_ADD,
  SUB,
  C_SUB,
  SLL,
  SLT,
  SLTU,
  XOR,
  C_XOR,
  SRL,
  SRA,
  OR,
  C_OR,
  AND,
  C_AND,
  ADDW,
  C_ADDW,
  SUBW,
  C_SUBW,
  SLLW,
  SRLW,
  SRAW,

  MUL,
  MULH,
  MULHSU,
  MULHU,
  DIV,
  DIVU,
  REM,
  REMU,
  MULW,
  DIVW,
  DIVUW,
  REMW,
  REMUW,

  LB,
  LH,
  LW,
  LD,
  LBU,
  LHU,
  LWU,
  C_LW,
  C_LD,
  SB,
  SH,
  SW,
  SD,
  C_SW,
  C_SD,
  FLW,
  FLD,
  C_FLD,
  FSW,
  FSD,
  C_FSD,

  /**
   * Arithmetic in dynamic or nearest-even rounding. rd, rs1 and rs2 as ever, imm = the instruction's
   * 4 bytes, for when it has to be done the long way.
   */
  FADD_D,
  FSUB_D,
  FMUL_D,
  FDIV_D,
  FSQRT_D,
  FADD_S,
  FSUB_S,
  FMUL_S,
  FDIV_S,
  /** FMADD, FMSUB, FNMSUB, FNMADD. */
  FUSED_D,
  FUSED_S,
  FLE_D,
  FLT_D,
  FEQ_D,
  /** FSGNJ with both sources the same. */
  FMV_D,
  FMV_X_D,
  FMV_D_X,
  FCVT_D_W,
  FCVT_D_L,
  /** Rounding towards zero. */
  FCVT_W_D,
  FCVT_L_D,

  /** Within the page imm is the distance in ops × 8; FAR: in bytes of code. */
  BEQ,
  BNE,
  BLT,
  BGE,
  BLTU,
  BGEU,
  C_BEQZ,
  C_BNEZ,
  BEQ_FAR,
  BNE_FAR,
  BLT_FAR,
  BGE_FAR,
  BLTU_FAR,
  BGEU_FAR,
  C_BEQZ_FAR,
  C_BNEZ_FAR,
  JAL,
  JAL_FAR,
  /** JAL with rd = x0, either length. */
  J,
  J_FAR,
  JALR,
  /** JALR with rd = x0. */
  JR,
  /** C.JR, and JALR x0, 0(rs1). */
  C_JR,
  C_JALR,
}
