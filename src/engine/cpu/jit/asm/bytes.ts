/** A growing byte buffer with the number encodings of WebAssembly's binary format. */
export class Bytes {
  #data = new Uint8Array(256);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** What has been written so far; valid until the next write. */
  view(): Uint8Array<ArrayBuffer> {
    return this.#data.subarray(0, this.#length);
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#data.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#data.length));
    grown.set(this.view());
    this.#data = grown;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#data[this.#length++] = value;
  }

  append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#data.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** LEB128 of an unsigned 32-bit number. */
  unsigned(value: number): void {
    this.#reserve(5);
    let rest = value >>> 0;
    while (rest > 0x7f) {
      this.#data[this.#length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#data[this.#length++] = rest;
  }

  /** Signed LEB128 of an integer between −2⁵³ and 2⁵³. */
  signed(value: number): void {
    this.#reserve(10);
    let rest = value;
    while (rest < -64 || rest > 63) {
      const low = rest & 0x7f;
      this.#data[this.#length++] = low | 0x80;
      rest = (rest - low) / 128;
    }
    this.#data[this.#length++] = rest & 0x7f;
  }

  /** A float constant's eight bytes. */
  f64(value: number): void {
    this.#reserve(8);
    new DataView(this.#data.buffer).setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  /** A name: its length and its (ASCII) bytes. */
  name(text: string): void {
    this.unsigned(text.length);
    for (let i = 0; i < text.length; i++) this.byte(text.charCodeAt(i));
  }
}
