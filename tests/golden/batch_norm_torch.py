"""Batch normalization by PyTorch in float64, in the words and tensors of vknorm-check."""
import torch
import torch.nn.functional as functional

MODULES = {2: torch.nn.BatchNorm1d, 3: torch.nn.BatchNorm1d, 4: torch.nn.BatchNorm2d, 5: torch.nn.BatchNorm3d}


def float32(value):
    """The number that a float32 argument of the library is."""
    return torch.tensor(value, dtype=torch.float32).item()


class Case:
    """One layer with its data. `momentum` None is cumulative."""

    def __init__(self, shape, channels_last=False, eps=1e-5, momentum=0.1, scale=True, shift=True, track=True,
                 mean=0.0, std=1.0, batches=3):
        self.eps, self.momentum = float32(eps), momentum if momentum is None else float32(momentum)
        self.channels_last, self.track = channels_last, track
        channels = shape[-1] if channels_last else shape[1]
        self.tensors = {"x": mean + std * torch.randn(shape), "dy": 0.25 + torch.randn(shape)}
        if scale:
            self.tensors["gamma"] = 1 + 0.5 * torch.randn(channels)
        if shift:
            self.tensors["beta"] = torch.randn(channels)
        if track:
            self.tensors["running_mean"] = mean + std * torch.randn(channels)
            self.tensors["running_var"] = (0.5 + 1.5 * torch.rand(channels)) * std * std
        self.tensors = {name: tensor.float() for name, tensor in self.tensors.items()}
        if track:
            self.tensors["num_batches_tracked"] = torch.tensor(batches)

    def words(self, mode):
        words = ["--op", "batch_norm", "--mode", mode, "--eps", repr(self.eps)]
        if mode == "training" and self.momentum is None:
            words += ["--momentum-form", "cumulative"]
        elif mode == "training":
            words += ["--momentum", repr(self.momentum)]
        return words + (["--layout", "channels_last"] if self.channels_last else [])

    def channels_first(self, tensor):
        return tensor.movedim(-1, 1) if self.channels_last else tensor

    def as_given(self, tensor):
        return tensor.movedim(1, -1).contiguous() if self.channels_last else tensor

    def layer(self):
        """The module with this case's numbers, and its parameters. A module has both of gamma and beta or none."""
        given = {name: tensor.double() if tensor.is_floating_point() else tensor for name, tensor in self.tensors.items()}
        x = self.channels_first(given["x"])
        module = MODULES[x.dim()](x.shape[1], self.eps, self.momentum, "gamma" in given and "beta" in given, self.track)
        module = module.double()
        if self.track:
            module.running_mean.copy_(given["running_mean"])
            module.running_var.copy_(given["running_var"])
            module.num_batches_tracked.copy_(given["num_batches_tracked"])
        parameters = {name: given[name].requires_grad_() for name in ("gamma", "beta") if name in given}
        return module, parameters, x.clone(memory_format=torch.preserve_format).requires_grad_()

    def run(self, training):
        """What the modes training, inference and backward_frozen give."""
        module, parameters, x = self.layer()
        if module.affine:
            module.weight, module.bias = (torch.nn.Parameter(parameters[name]) for name in ("gamma", "beta"))
            parameters = {"gamma": module.weight, "beta": module.bias}
        if module.affine or not parameters:
            y = module.train(training)(x)
        else:
            y = functional.batch_norm(x, module.running_mean, module.running_var, parameters.get("gamma"),
                                      parameters.get("beta"), training, self.momentum, self.eps)
            if training:
                module.num_batches_tracked += 1
        dy = self.channels_first(self.tensors["dy"].double())
        gradients = torch.autograd.grad(y, [x, *parameters.values()], dy)
        forward = {"y": self.as_given(y.detach())}
        backward = {"dx": self.as_given(gradients[0])}
        for name, gradient in zip(parameters, gradients[1:]):
            backward["d" + name] = gradient
        if training or not self.track:
            x = x.detach()
            _, mean, inv_std = torch.native_batch_norm(x, None, None, None, None, True, 0.0, self.eps)
            forward["mean"] = torch.stack([mean, torch.zeros_like(mean)])
            forward["inv_std"] = inv_std
            if self.track:
                for name in ("running_mean", "running_var", "num_batches_tracked"):
                    forward[name] = getattr(module, name)
            return {"training": {**forward, **backward}}
        return {"inference": forward, "backward_frozen": backward}


def rounded(tensor):
    return tensor.detach().float().contiguous() if tensor.is_floating_point() else tensor
