#!/usr/bin/env python3
"""PyTorch as a peer of vknorm-bench, which starts this and asks for one call at a time: see peer.hpp.

    torch_peer.py cpu|cuda THREADS
"""
import json
import re
import sys
import time


def say(answer):
    print(json.dumps(answer), flush=True)


try:
    import torch
except ImportError:
    say({"absent": f"{sys.executable} cannot import torch"})
    sys.exit(0)
import torch.nn.functional as F

EPSILON = 1e-5


def rms_norm(x, weight):
    if hasattr(F, "rms_norm"):
        return F.rms_norm(x, x.shape[-1:], weight, EPSILON)
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + EPSILON) * weight


def batch_norm(p, x, training):
    mean, var = (p.updated_mean, p.updated_var) if training else (p.mean, p.var)
    return F.batch_norm(x, mean, var, p.weight, p.bias, training, 0.1, EPSILON)


OPERATIONS = {
    "batch_norm": lambda p, x, residual, training: batch_norm(p, x, training),
    "batch_norm_relu": lambda p, x, residual, training: F.relu(batch_norm(p, x, training), inplace=True),
    "batch_norm_add_relu":
        lambda p, x, residual, training: F.relu(batch_norm(p, x, training).add_(residual), inplace=True),
    "group_norm": lambda p, x, residual, training: F.group_norm(x, p.groups, p.weight, p.bias, EPSILON),
    "instance_norm": lambda p, x, residual, training:
        F.instance_norm(x, p.updated_mean, p.updated_var, p.weight, p.bias, True, 0.1, EPSILON),
    "layer_norm": lambda p, x, residual, training: F.layer_norm(x, x.shape[-1:], p.weight, p.bias, EPSILON),
    "rms_norm": lambda p, x, residual, training: rms_norm(x, p.weight),
}


def blas():
    """Who multiplies matrices on the CPU: a program may bring its own, or take what the system has."""
    built = re.search(r"BLAS_INFO=(\w+)", torch.__config__.show())
    if built and built.group(1) != "generic":
        return {"mkl": "MKL", "open": "OpenBLAS"}.get(built.group(1), built.group(1))
    with open("/proc/self/maps", encoding="utf-8") as maps:
        libraries = [line for line in maps if "blas" in line and "numpy" not in line]
    return next((name for name in ("OpenBLAS", "ATLAS", "BLIS", "MKL")
                 if any(name.lower() in line for line in libraries)), "reference BLAS")


class Parameters:
    def __init__(self, count, groups, dtype, device):
        values = lambda low: (torch.rand(count, device=device) + low).to(dtype)
        self.weight, self.bias = values(0.5).requires_grad_(), values(0).requires_grad_()
        self.mean, self.var, self.updated_mean, self.updated_var = values(0), values(1), values(0), values(1)
        self.groups = groups


class Pool:
    """Values for tensors of any shape, that they may be views of; grows, and is shared by all cases."""
    values = None

    @classmethod
    def of(cls, count, dtype, device):
        if cls.values is None or cls.values.numel() < count or cls.values.dtype != dtype:
            cls.values = None
            cls.values = (torch.rand(count, device=device) * 4 - 1.5).to(dtype)
        return cls.values


class Timed:
    """Does work(turn) once and says how long that took."""

    turn = 0

    def run(self):
        return self.time_on_gpu(self.turn) if self.device == "cuda" else self.time_on_cpu(self.turn)

    def time_on_cpu(self, turn):
        cpu, start = time.process_time(), time.perf_counter()
        result = self.work(turn)
        milliseconds = 1e3 * (time.perf_counter() - start)
        del result  # kept until here, so that giving it back is not timed
        return {"ms": milliseconds, "cpu_ms": 1e3 * (time.process_time() - cpu)}

    def time_on_gpu(self, turn):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        cpu = time.process_time()
        torch.cuda._sleep(4_000_000)  # ms in which the calls below are queued: no launch is timed
        start.record()
        self.work(turn)
        end.record()
        torch.cuda.synchronize()
        return {"ms": start.elapsed_time(end), "cpu_ms": 1e3 * (time.process_time() - cpu)}


class Contestant(Timed):
    """One way to do a case: turns through tensors until `rotation` bytes of each kind were touched."""

    def __init__(self, request, name, direction, device):
        self.direction, self.device, self.turn = direction, device, 0
        self.cudnn = "cudnn" in name
        shape = list(request["shape"])  # with the channels second, if any
        rows = request["operation"] in ("layer_norm", "rms_norm")
        if request["layout"] == "channels_last" and len(shape) > 2 and not rows:
            shape.insert(1, shape.pop())
        elements = torch.Size(shape).numel()
        dtype = getattr(torch, request["type"])
        sets = request["rotation_bytes"] // (torch.finfo(dtype).bits // 8 * elements) + 1
        pool = Pool.of(3 * sets * elements, dtype, device)

        def tensors(part):
            for start in range(part * sets * elements, (part + 1) * sets * elements, elements):
                flat = pool[start:start + elements]
                if name.endswith("_nhwc"):
                    yield flat.view(shape[0], *shape[2:], shape[1]).movedim(-1, 1)
                else:
                    yield flat.view(shape)

        self.x, self.dy, self.residual = (list(tensors(part)) for part in range(3))
        # Only these two take tensors of 16 bits together with parameters of float32.
        batches = request["operation"].startswith(("batch_norm", "instance_norm"))
        self.parameters = Parameters(shape[-1] if rows else shape[1], request["groups"],
                                     torch.float32 if batches else dtype, device)
        self.call = OPERATIONS[request["operation"]]
        if "compile" in name:
            self.call = torch.compile(self.call, dynamic=False)
        self.graphs = {}
        self.takes_residual = "_add_" in request["operation"]
        if direction == "backward":
            with torch.backends.cudnn.flags(enabled=self.cudnn):
                for turn in range(sets):
                    self.graphs[turn] = self.graph(turn)

    def graph(self, turn):
        x = self.x[turn].detach().requires_grad_()
        residual = self.residual[turn].detach().requires_grad_(self.takes_residual)
        y = self.call(self.parameters, x, residual, True)
        inputs = [x, self.parameters.weight, self.parameters.bias] + [residual] * self.takes_residual
        return y, inputs

    def work(self, turn):
        if self.direction == "backward":
            y, inputs = self.graphs[turn]
            # RMS normalization has no bias.
            return torch.autograd.grad(y, inputs, self.dy[turn], retain_graph=True, allow_unused=True)
        if self.direction == "forward":  # as in training: the graph is made, too
            return self.call(self.parameters, self.x[turn], self.residual[turn], True)
        with torch.no_grad():
            return self.call(self.parameters, self.x[turn], self.residual[turn], False)

    def run(self):
        turn, self.turn = self.turn, (self.turn + 1) % len(self.x)
        with torch.backends.cudnn.flags(enabled=self.cudnn):
            return self.time_on_gpu(turn) if self.device == "cuda" else self.time_on_cpu(turn)


class Product(Timed):
    """One of the products of a fully connected layer, 512 each way."""

    def __init__(self, name, device):
        self.name, self.device = name, device
        self.x, self.weight, self.dy = (torch.rand(512, 512, device=device) for _ in range(3))
        self.bias = torch.rand(512, device=device)

    def work(self, _):
        if self.name == "y":
            return F.linear(self.x, self.weight, self.bias)
        if self.name == "dx":
            return self.dy @ self.weight
        return self.dy.t() @ self.x, self.dy.sum(0)


class Convolution(Timed):
    """One of the products of a convolution 3 x 3 of 32 maps, to twice as many channels."""

    def __init__(self, name, channels, device):
        self.name, self.device = name, device
        side = 1024 // channels
        self.x, self.weight = torch.rand(32, channels, side, side), torch.rand(2 * channels, channels, 3, 3)
        self.dy, self.bias = torch.rand(32, 2 * channels, side, side), torch.rand(2 * channels)
        for tensor in ("x", "weight", "dy", "bias"):
            setattr(self, tensor, getattr(self, tensor).to(device))

    def work(self, _):
        if self.name == "y":
            return F.conv2d(self.x, self.weight, self.bias, padding=1)
        wanted = [self.name == "dx", self.name == "dweight", self.name == "dweight"]
        return torch.ops.aten.convolution_backward(
            self.dy, self.x, self.weight, [len(self.bias)], [1, 1], [1, 1], [1, 1], False, [0, 0], 1, wanted)


def perceptron():
    linear, norm = torch.nn.Linear, torch.nn.BatchNorm1d
    return torch.nn.Sequential(
        linear(784, 256), norm(256), torch.nn.ReLU(), linear(256, 128), norm(128), torch.nn.ReLU(),
        linear(128, 10))


class ResidualBlock(torch.nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        conv, norm = torch.nn.Conv2d, torch.nn.BatchNorm2d
        self.conv1, self.bn1 = conv(inputs, outputs, 3, stride, 1, bias=False), norm(outputs)
        self.conv2, self.bn2 = conv(outputs, outputs, 3, 1, 1, bias=False), norm(outputs)
        self.shortcut = torch.nn.Sequential()
        if stride != 1:
            self.shortcut = torch.nn.Sequential(conv(inputs, outputs, 1, stride, bias=False), norm(outputs))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + self.shortcut(x))


def resnet8():
    return torch.nn.Sequential(
        torch.nn.Unflatten(1, (1, 28, 28)), torch.nn.Conv2d(1, 16, 3, 1, 1, bias=False), torch.nn.BatchNorm2d(16),
        torch.nn.ReLU(), ResidualBlock(16, 16, 1), ResidualBlock(16, 32, 2), ResidualBlock(32, 64, 2),
        torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(64, 10))


class Steps(Timed):
    """So many steps of a network; a batch is picked for each."""

    def __init__(self, network, batch, steps, device):
        self.network, self.batch, self.steps, self.device = network.to(device), batch, steps, device
        self.optimizer = torch.optim.SGD(self.network.parameters(), lr=0.05)
        self.inputs = torch.rand(4096, 784, device=device)
        self.labels = torch.randint(0, 10, (4096,), device=device)

    def work(self, _):
        for _ in range(self.steps):
            indices = torch.randint(0, 4096, (self.batch,), device=self.device)
            self.optimizer.zero_grad()
            loss = F.cross_entropy(self.network(self.inputs[indices]), self.labels[indices])
            loss.backward()
            self.optimizer.step()
        return loss


def training(device):
    # In the order of training.cpp.
    products = ("y", "dx", "dweight")
    result = {(name, "forward"): Product(name, device) for name in products}
    for channels in (64, 128, 256):
        for name in products:
            result[f"convolution {channels} {name}", "forward"] = Convolution(name, channels, device)
    result["perceptron", "forward"] = Steps(perceptron(), 128, 8, device)
    result["resnet8", "forward"] = Steps(resnet8(), 64, 1, device)
    return result


def names(request, device):
    rows = request["operation"] in ("layer_norm", "rms_norm")
    layouts = [""] if rows else ["_nchw"] if len(request["shape"]) < 3 else ["_nchw", "_nhwc"]
    kinds = ["torch"]
    if device == "cuda":
        if request["operation"].startswith("batch_norm") and torch.backends.cudnn.is_available():
            kinds.append("torch_cudnn")
        if hasattr(torch, "compile"):
            kinds.append("torch_compile")
    return [kind + layout for kind in kinds for layout in layouts]


def contestants_of(request, device):
    result = {}
    for name in names(request, device) if request["shape"] else []:
        for direction in request["directions"]:
            try:
                contestant = Contestant(request, name, direction, device)
                contestant.work(0)
            except RuntimeError as error:
                if "not implemented for" not in str(error):
                    raise
                continue  # PyTorch has not every type on a CPU
            result[name, direction] = contestant
    return result


def main():
    device, threads = sys.argv[1], int(sys.argv[2])
    if device == "cuda" and not torch.cuda.is_available():
        return say({"absent": f"PyTorch {torch.__version__} of {sys.executable} finds no CUDA device"})
    torch.set_num_threads(threads)
    try:
        import torch._functorch.config as config
        config.donated_buffer = False  # graphs are gone through more than once
    except ImportError:
        pass
    where = torch.cuda.get_device_name() if device == "cuda" else f"{threads} threads, {blas()}"
    say({"title": f"PyTorch {torch.__version__}, {where}"})
    contestants = {}
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if "prepare" in request:
                request = request["prepare"]
                contestants.clear()
                if hasattr(torch, "_dynamo"):
                    torch._dynamo.reset()  # or it gives up on a function that was given many shapes
                if request["operation"] == "training":
                    contestants.update(training(device))
                contestants.update(contestants_of(request, device))
                say({"contestants": list(contestants)})
            else:
                say(contestants[tuple(request["run"])].run())
        except Exception as error:
            say({"error": f"{type(error).__name__}: {error}".splitlines()[0]})


main()
