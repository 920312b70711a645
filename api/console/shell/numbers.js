// Numbers as people type them: digits of either script, a comma or a point. NaN where it is none.

export function numberOf(text) {
  const plain = text.trim().replace(/[\u0660-\u0669]/g, (one) => one.charCodeAt(0) - 0x660).replace(/[,\u066b]/, ".");
  return plain ? Number(plain) : NaN;
}
