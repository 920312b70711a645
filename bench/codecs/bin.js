// A codec of our own, as vendors write them: channel, type and value one after the other.
var positions = { 0: "normal", 1: "tilt" };

function readInt16LE(bytes, at) {
  var value = bytes[at] | (bytes[at + 1] << 8);
  return value > 0x7fff ? value - 0x10000 : value;
}

function decodeUplink(input) {
  var bytes = input.bytes, decoded = {}, warnings = [];
  for (var i = 0; i < bytes.length; ) {
    var channel = bytes[i++], type = bytes[i++];
    if (channel === 0x01 && type === 0x75) {
      decoded.battery = bytes[i];
      i += 1;
    } else if (channel === 0x03 && type === 0x67) {
      decoded.temperature = readInt16LE(bytes, i) / 10;
      i += 2;
    } else if (channel === 0x03 && type === 0x82) {
      decoded.distance = bytes[i] | (bytes[i + 1] << 8);
      i += 2;
    } else if (channel === 0x04 && type === 0x00) {
      decoded.position = positions[bytes[i]];
      i += 1;
    } else {
      warnings.push("unknown channel " + channel);
      break;
    }
  }
  if (input.fPort !== 85) return { errors: ["port " + input.fPort + " is not ours"] };
  return { data: decoded, warnings: warnings };
}
