"""Files of named tensors, as tests/safetensors.hpp has them, without a package for them."""
import array
import json
import struct

import torch

# 32-bit integers stand for uint32, which PyTorch lacks: the bits are the same. Those of 16-bit numbers pass as int16.
TYPES = {torch.float32: ("F32", "f"), torch.int64: ("I64", "q"), torch.int32: ("U32", "i"),
         torch.float16: ("F16", "h"), torch.bfloat16: ("BF16", "h")}
HALVES = (torch.float16, torch.bfloat16)


def write(path, tensors, metadata=None):
    """`tensors` by name; metadata: texts by name."""
    header, data = ({"__metadata__": metadata} if metadata else {}), b""
    for name, tensor in sorted(tensors.items(), key=lambda entry: (-entry[1].element_size(), entry[0])):
        dtype, code = TYPES[tensor.dtype]
        values = tensor.contiguous().view(torch.int16) if tensor.dtype in HALVES else tensor
        part = array.array(code, values.flatten().tolist()).tobytes()
        header[name] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(part)]}
        data += part
    text = json.dumps(header, separators=(",", ":"))
    text += " " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text.encode() + data)


def read(path):
    """The tensors by name."""
    with open(path, "rb") as file:
        content = file.read()
    start = 8 + struct.unpack("<Q", content[:8])[0]
    types = {name: (dtype, code) for dtype, (name, code) in TYPES.items()}
    tensors = {}
    for name, entry in json.loads(content[8:start]).items():
        if name != "__metadata__":
            dtype, code = types[entry["dtype"]]
            begin, end = entry["data_offsets"]
            values = array.array(code, content[start + begin:start + end]).tolist()
            bits = torch.int16 if dtype in HALVES else dtype
            tensors[name] = torch.tensor(values, dtype=bits).view(dtype).reshape(entry["shape"])
    return tensors
