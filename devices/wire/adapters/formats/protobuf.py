"""Protocol Buffers messages by a table of the fields that are needed: what else comes is skipped. Pure.

A schema is a table in Python, with numbers and types out of the public one: nothing has to be generated.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeVar

from google.protobuf import descriptor_pb2, descriptor_pool, message, message_factory

# Well-known types must be in the pool before they are named.
from google.protobuf import struct_pb2 as _struct
from google.protobuf import timestamp_pb2 as _timestamp

from devices.wire.adapters.formats.bounded import check_size
from devices.wire.adapters.uplink import Unreadable

_M = TypeVar("_M", bound=message.Message)

Fields = Mapping[str, tuple[int, str]]
"""Number and type by name; `[]` before a type: repeated; `?`: one of several, of which at most one is set."""

_SCALARS: Final = {
    "bool": descriptor_pb2.FieldDescriptorProto.TYPE_BOOL,
    "bytes": descriptor_pb2.FieldDescriptorProto.TYPE_BYTES,
    "double": descriptor_pb2.FieldDescriptorProto.TYPE_DOUBLE,
    "float": descriptor_pb2.FieldDescriptorProto.TYPE_FLOAT,
    "int32": descriptor_pb2.FieldDescriptorProto.TYPE_INT32,
    "string": descriptor_pb2.FieldDescriptorProto.TYPE_STRING,
    "uint32": descriptor_pb2.FieldDescriptorProto.TYPE_UINT32,
    "uint64": descriptor_pb2.FieldDescriptorProto.TYPE_UINT64,
}
STRUCT: Final = _struct.DESCRIPTOR.package + ".Struct"
TIMESTAMP: Final = _timestamp.DESCRIPTOR.package + ".Timestamp"


def messages(package: str, syntax: str, schema: Mapping[str, Fields]) -> dict[str, type[message.Message]]:
    """Return message classes by name.

    Args:
        package: a name of its own in this process.
        syntax: proto2 (says what was sent and what was not) or proto3.
        schema: fields by message; types are scalars, other messages of the schema, STRUCT, TIMESTAMP.
    """
    file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package, syntax=syntax)
    file.dependency.extend([_struct.DESCRIPTOR.name, _timestamp.DESCRIPTOR.name])
    for name, fields in schema.items():
        described = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            _describe(described, package, field, number, kind)
    pool = descriptor_pool.Default()
    pool.AddSerializedFile(file.SerializeToString())
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}"))
        for name in schema
    }


def _describe(
    described: descriptor_pb2.DescriptorProto, package: str, name: str, number: int, kind: str
) -> None:
    field = described.field.add(name=name, number=number)
    repeated = kind.startswith("[]")
    field.label = field.LABEL_REPEATED if repeated else field.LABEL_OPTIONAL
    bare = kind.removeprefix("[]").removeprefix("?")
    if bare in _SCALARS:
        field.type = _SCALARS[bare]
    else:
        field.type = field.TYPE_MESSAGE
        field.type_name = f".{bare}" if "." in bare else f".{package}.{bare}"
    if kind.startswith("?"):
        if not described.oneof_decl:
            described.oneof_decl.add(name="value")
        field.oneof_index = 0


def parsed(shape: type[_M], payload: bytes) -> _M:
    """Return the message that a payload is.

    Raises:
        Unreadable: too large, or cut off, or not of this shape.
    """
    check_size(payload)
    found = shape()
    try:
        found.ParseFromString(payload)
    except (message.DecodeError, ValueError) as error:
        raise Unreadable(f"not a Protocol Buffers message: {error}") from error
    return found
