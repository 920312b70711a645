// Node's Buffer, as far as codecs use it: ChirpStack and ThingPark offer it to them, The Things Stack does not.
// Evaluated only where a codec's text has the word. A codec that brings its own replaces this one.
(function () {
  "use strict";
  const encodings = { hex: fromHex, base64: fromBase64, ascii: fromLatin, latin1: fromLatin, binary: fromLatin };

  function fromHex(text) {
    const bytes = [];
    for (let i = 0; i + 1 < text.length; i += 2) {
      const byte = parseInt(text.slice(i, i + 2), 16);
      if (Number.isNaN(byte)) break;
      bytes.push(byte);
    }
    return bytes;
  }

  function fromBase64(text) {
    return fromLatin(atob(text.replace(/-/g, "+").replace(/_/g, "/").replace(/[^A-Za-z0-9+/]/g, "")));
  }

  function fromLatin(text) {
    return Array.from(text, (letter) => letter.charCodeAt(0) & 0xff);
  }

  function fromText(text) {
    return fromLatin(unescape(encodeURIComponent(text)));
  }

  function toLatin(bytes) {
    let text = "";
    for (const byte of bytes) text += String.fromCharCode(byte);
    return text;
  }

  function view(buffer) {
    return new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  }

  class Buffer extends Uint8Array {
    constructor(value, encodingOrOffset, length) {
      if (typeof value === "string") super((encodings[encodingOrOffset] ?? fromText)(value));
      else if (value instanceof ArrayBuffer) super(value, encodingOrOffset, length);
      else super(value);
    }

    static from(value, encoding, length) { return new Buffer(value, encoding, length); }
    static alloc(size, fill) { return fill === undefined ? new Buffer(size) : new Buffer(size).fill(fill); }
    static allocUnsafe(size) { return new Buffer(size); }
    static isBuffer(value) { return value instanceof Buffer; }
    static byteLength(value, encoding) { return new Buffer(value, encoding).length; }
    static concat(parts) { return new Buffer(parts.flatMap((part) => Array.from(part))); }

    slice(start, end) { return this.subarray(start, end); }
    equals(other) { return this.length === other.length && this.every((byte, i) => byte === other[i]); }
    toJSON() { return { type: "Buffer", data: Array.from(this) }; }

    toString(encoding, start, end) {
      const part = this.subarray(start ?? 0, end ?? this.length);
      switch (encoding) {
        case "hex": return Array.from(part, (byte) => byte.toString(16).padStart(2, "0")).join("");
        case "base64": return btoa(toLatin(part));
        case "ascii": return toLatin(part.map((byte) => byte & 0x7f));
        case "latin1": case "binary": return toLatin(part);
        default: return decodeURIComponent(escape(toLatin(part)));
      }
    }

    readUIntBE(offset, length) {
      let value = 0;
      for (let i = 0; i < length; i++) value = value * 256 + view(this).getUint8(offset + i);
      return value;
    }

    readUIntLE(offset, length) {
      let value = 0;
      for (let i = length - 1; i >= 0; i--) value = value * 256 + view(this).getUint8(offset + i);
      return value;
    }

    readIntBE(offset, length) { return signed(this.readUIntBE(offset, length), length); }
    readIntLE(offset, length) { return signed(this.readUIntLE(offset, length), length); }
  }

  function signed(value, length) {
    return value >= 2 ** (8 * length - 1) ? value - 2 ** (8 * length) : value;
  }

  const TYPES = {
    Int8: "Int8", Int16: "Int16", Int32: "Int32", UInt8: "Uint8", UInt16: "Uint16", UInt32: "Uint32",
    Float: "Float32", Double: "Float64", BigInt64: "BigInt64", BigUInt64: "BigUint64",
  };
  const SIZES = { Int8: 1, UInt8: 1, Int16: 2, UInt16: 2, Int32: 4, UInt32: 4, Float: 4, Double: 8, BigInt64: 8, BigUInt64: 8 };
  for (const [name, type] of Object.entries(TYPES)) {
    for (const order of SIZES[name] === 1 ? [""] : ["BE", "LE"]) {
      const method = {
        [`read${name}${order}`](offset = 0) { return view(this)[`get${type}`](offset, order === "LE"); },
        [`write${name}${order}`](value, offset = 0) {
          view(this)[`set${type}`](offset, value, order === "LE");
          return offset + SIZES[name];
        },
      };
      for (const [key, body] of Object.entries(method)) {
        Object.defineProperty(Buffer.prototype, key, { value: body, writable: true, configurable: true });
        const other = key.replace("UInt", "Uint");
        Object.defineProperty(Buffer.prototype, other, { value: body, writable: true, configurable: true });
      }
    }
  }
  Object.defineProperty(globalThis, "Buffer", { value: Buffer, writable: true, configurable: true });
})();
