#!/usr/bin/env python3
"""Draws what vknorm-bench measured: how much of the speed of the best copy each operation reaches.

    plot.py FILE... OUT.png

The files are those of vknorm-bench --json, one for each device. A mark shows the fastest peer of the race.
"""
import json
import sys

try:
    import matplotlib
except ImportError:
    sys.exit(f"{sys.executable} has no matplotlib (python3-matplotlib)")
matplotlib.use("Agg")
import matplotlib.pyplot as plt

DIRECTIONS = ["inference", "forward", "backward"]
BAR = 0.8  # of the room that a shape has, for the bars of all devices


def label(row):
    shape = "×".join(map(str, row["shape"]))
    return f"{row['operation']}  {shape}" + (" NHWC" if row["layout"] == "channels_last" else "")


def draw(axes, direction, documents, labels):
    thickness = BAR / len(documents)
    for index, document in enumerate(documents):
        rows = [row for row in document["rows"] if row["direction"] == direction]
        at = [labels.index(label(row)) - BAR / 2 + (index + 0.5) * thickness for row in rows]
        axes.barh(at, [row["copy_ratio"] for row in rows], thickness * 0.9, color=f"C{index}")
        peers = [(y, row["copy_ratio"] * row["ms"] / min(row["peers"].values()))
                 for y, row in zip(at, rows) if row["peers"]]
        axes.plot([ratio for _, ratio in peers], [y for y, _ in peers], "D", color="black", markersize=4)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_title(direction)
    axes.set_xlim(left=0)
    axes.grid(axis="x", alpha=0.4)
    axes.set_axisbelow(True)


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    documents = []
    for file in sys.argv[1:-1]:
        with open(file, encoding="utf-8") as stream:
            documents.append(json.load(stream))
        if "mode" in documents[-1]:
            sys.exit(f"{file}: of --{documents[-1]['mode']}; needs races of kernels")
    labels = list(dict.fromkeys(label(row) for document in documents for row in document["rows"]
                                if row["direction"] in DIRECTIONS))
    height = 1.8 + len(labels) * (0.2 + 0.16 * len(documents))
    figure, columns = plt.subplots(1, len(DIRECTIONS), figsize=(14, height), sharey=True,
                                   layout="constrained")
    for axes, direction in zip(columns, DIRECTIONS):
        draw(axes, direction, documents, labels)
    columns[0].set_yticks(range(len(labels)), labels)
    columns[0].set_ylim(len(labels) - 0.4, -0.6)
    columns[1].set_xlabel("GB/s over those of the best copy of as many bytes")
    handles = [plt.Rectangle((0, 0), 1, 1, color=f"C{index}") for index in range(len(documents))]
    names = [document["device"] + " (contended)" * document.get("contended", False) for document in documents]
    if any(row["peers"] for document in documents for row in document["rows"]):
        handles.append(plt.Line2D([], [], marker="D", color="black", linestyle="", markersize=4))
        names.append("fastest peer")
    figure.legend(handles, names, loc="upper center", ncols=4, frameon=False).set_in_layout(False)
    figure.get_layout_engine().set(rect=(0, 0, 1, 1 - 0.4 / height))
    figure.savefig(sys.argv[-1], dpi=110)


main()
