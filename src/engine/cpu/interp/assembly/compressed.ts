/** The C extension: every 16-bit instruction as the 32-bit instruction it stands for. */

@inline
function bit(c: u32, from: u32, to: u32): u32 {
  return ((c >> from) & 1) << to;
}

@inline
function bits(c: u32, high: u32, low: u32, to: u32): u32 {
  return ((c >> low) & ((1 << (high - low + 1)) - 1)) << to;
}

@inline
function rType(funct7: u32, rs2: u32, rs1: u32, funct3: u32, rd: u32, opcode: u32): u32 {
  return (funct7 << 25) | (rs2 << 20) | (rs1 << 15) | (funct3 << 12) | (rd << 7) | opcode;
}

@inline
function iType(imm: u32, rs1: u32, funct3: u32, rd: u32, opcode: u32): u32 {
  return (imm << 20) | (rs1 << 15) | (funct3 << 12) | (rd << 7) | opcode;
}

@inline
function sType(imm: u32, rs2: u32, rs1: u32, funct3: u32, opcode: u32): u32 {
  return ((imm >> 5) << 25) | (rs2 << 20) | (rs1 << 15) | (funct3 << 12) | ((imm & 31) << 7) | opcode;
}

@inline
function bType(imm: u32, rs1: u32, funct3: u32): u32 {
  return (
    bit(imm, 12, 31) |
    bits(imm, 10, 5, 25) |
    (rs1 << 15) |
    (funct3 << 12) |
    bits(imm, 4, 1, 8) |
    bit(imm, 11, 7) |
    0x63
  );
}

@inline
function jType(imm: u32, rd: u32): u32 {
  return (
    bit(imm, 20, 31) | bits(imm, 10, 1, 21) | bit(imm, 11, 20) | bits(imm, 19, 12, 12) | (rd << 7) | 0x6f
  );
}

/** The 6-bit immediate of CI and CB formats, sign-extended. */
@inline
function imm6(c: u32): u32 {
  return <u32>(<i32>((bit(c, 12, 5) | bits(c, 6, 2, 0)) << 26) >> 26);
}

function quadrant0(c: u32): u32 {
  const rdP = 8 + bits(c, 4, 2, 0);
  const rs1P = 8 + bits(c, 9, 7, 0);
  const word = bits(c, 12, 10, 3) | bit(c, 6, 2) | bit(c, 5, 6);
  const double = bits(c, 12, 10, 3) | bits(c, 6, 5, 6);
  switch (c >> 13) {
    case 0: {
      // C.ADDI4SPN; a zero immediate is reserved (and the all-zero halfword defined illegal)
      const imm = bits(c, 12, 11, 4) | bits(c, 10, 7, 6) | bit(c, 6, 2) | bit(c, 5, 3);
      return imm == 0 ? 0 : iType(imm, 2, 0, rdP, 0x13);
    }
    case 1:
      return iType(double, rs1P, 3, rdP, 0x07); // C.FLD
    case 2:
      return iType(word, rs1P, 2, rdP, 0x03); // C.LW
    case 3:
      return iType(double, rs1P, 3, rdP, 0x03); // C.LD
    case 5:
      return sType(double, rdP, rs1P, 3, 0x27); // C.FSD
    case 6:
      return sType(word, rdP, rs1P, 2, 0x23); // C.SW
    case 7:
      return sType(double, rdP, rs1P, 3, 0x23); // C.SD
    default:
      return 0;
  }
}

function arithmetic(c: u32): u32 {
  const rd = 8 + bits(c, 9, 7, 0);
  const rs2 = 8 + bits(c, 4, 2, 0);
  const shamt = bit(c, 12, 5) | bits(c, 6, 2, 0);
  switch (bits(c, 11, 10, 0)) {
    case 0:
      return iType(shamt, rd, 5, rd, 0x13); // C.SRLI
    case 1:
      return iType(0x400 | shamt, rd, 5, rd, 0x13); // C.SRAI
    case 2:
      return iType(imm6(c), rd, 7, rd, 0x13); // C.ANDI
    default:
      switch (bit(c, 12, 2) | bits(c, 6, 5, 0)) {
        case 0:
          return rType(0x20, rs2, rd, 0, rd, 0x33); // C.SUB
        case 1:
          return rType(0, rs2, rd, 4, rd, 0x33); // C.XOR
        case 2:
          return rType(0, rs2, rd, 6, rd, 0x33); // C.OR
        case 3:
          return rType(0, rs2, rd, 7, rd, 0x33); // C.AND
        case 4:
          return rType(0x20, rs2, rd, 0, rd, 0x3b); // C.SUBW
        case 5:
          return rType(0, rs2, rd, 0, rd, 0x3b); // C.ADDW
        default:
          return 0;
      }
  }
}

function quadrant1(c: u32): u32 {
  const rd = bits(c, 11, 7, 0);
  const imm = imm6(c);
  switch (c >> 13) {
    case 0:
      return iType(imm, rd, 0, rd, 0x13); // C.ADDI, C.NOP
    case 1:
      return rd == 0 ? 0 : iType(imm, rd, 0, rd, 0x1b); // C.ADDIW
    case 2:
      return iType(imm, 0, 0, rd, 0x13); // C.LI
    case 3: {
      if (imm == 0) return 0;
      if (rd != 2) return (imm << 12) | (rd << 7) | 0x37; // C.LUI
      const sp = (<i32>bit(c, 12, 31) >> 22) | bit(c, 6, 4) | bit(c, 5, 6) | bits(c, 4, 3, 7) | bit(c, 2, 5);
      return iType(sp, 2, 0, 2, 0x13); // C.ADDI16SP
    }
    case 4:
      return arithmetic(c);
    case 5: {
      const target =
        (<i32>bit(c, 12, 31) >> 20) |
        bit(c, 11, 4) |
        bits(c, 10, 9, 8) |
        bit(c, 8, 10) |
        bit(c, 7, 6) |
        bit(c, 6, 7) |
        bits(c, 5, 3, 1) |
        bit(c, 2, 5);
      return jType(target, 0); // C.J
    }
    default: {
      const offset =
        (<i32>bit(c, 12, 31) >> 23) | bits(c, 11, 10, 3) | bits(c, 6, 5, 6) | bits(c, 4, 3, 1) | bit(c, 2, 5);
      return bType(offset, 8 + bits(c, 9, 7, 0), (c >> 13) & 1); // C.BEQZ, C.BNEZ
    }
  }
}

function quadrant2(c: u32): u32 {
  const rd = bits(c, 11, 7, 0);
  const rs2 = bits(c, 6, 2, 0);
  const doubleLoad = bit(c, 12, 5) | bits(c, 6, 5, 3) | bits(c, 4, 2, 6);
  const doubleStore = bits(c, 12, 10, 3) | bits(c, 9, 7, 6);
  switch (c >> 13) {
    case 0:
      return iType(bit(c, 12, 5) | rs2, rd, 1, rd, 0x13); // C.SLLI
    case 1:
      return iType(doubleLoad, 2, 3, rd, 0x07); // C.FLDSP
    case 2:
      return rd == 0 ? 0 : iType(bit(c, 12, 5) | bits(c, 6, 4, 2) | bits(c, 3, 2, 6), 2, 2, rd, 0x03); // C.LWSP
    case 3:
      return rd == 0 ? 0 : iType(doubleLoad, 2, 3, rd, 0x03); // C.LDSP
    case 4:
      if (((c >> 12) & 1) == 0) {
        if (rs2 != 0) return rType(0, rs2, 0, 0, rd, 0x33); // C.MV
        return rd == 0 ? 0 : iType(0, rd, 0, 0, 0x67); // C.JR
      }
      if (rs2 != 0) return rType(0, rs2, rd, 0, rd, 0x33); // C.ADD
      return rd == 0 ? 0x00100073 : iType(0, rd, 0, 1, 0x67); // C.EBREAK, C.JALR
    case 5:
      return sType(doubleStore, rs2, 2, 3, 0x27); // C.FSDSP
    case 6:
      return sType(bits(c, 12, 9, 2) | bits(c, 8, 7, 6), rs2, 2, 2, 0x23); // C.SWSP
    default:
      return sType(doubleStore, rs2, 2, 3, 0x23); // C.SDSP
  }
}

/** The 32-bit form of a compressed RV64 instruction, 0 (itself illegal) if it is reserved. */
export function expandCompressed(halfword: u32): u32 {
  switch (halfword & 3) {
    case 0:
      return quadrant0(halfword);
    case 1:
      return quadrant1(halfword);
    case 2:
      return quadrant2(halfword);
    default:
      return 0;
  }
}
