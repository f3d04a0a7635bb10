"""Networks that between them use every layer that the engines support."""

from collections.abc import Callable

from tflite_builder import ModelBuilder


def compact() -> bytes:
    """ReLU fused, average pool, flatten: like the shipped network."""
    model = ModelBuilder(seed=1).conv(16, 5, relu=True).conv(16, 5, relu=True).max_pool(2)
    model.conv(32, 5, relu=True).max_pool(2).average_pool(4).flatten()
    return model.dense(64, relu=True).mark_embedding().dense(6).finish()


def paper_like() -> bytes:
    """LeakyReLU layers, kernel 3, four dense layers: Table I, narrower."""
    model = ModelBuilder(seed=2)
    for width, pool in ((8, False), (8, True), (12, False), (12, False), (12, True)):
        model.conv(width, 3).leaky_relu(0.01)
        if pool:
            model.max_pool(2)
    model.flatten()
    for width in (48, 24, 16):
        model.dense(width).leaky_relu(0.01)
    return model.mark_embedding().dense(6).finish()


def paper_gap() -> bytes:
    """Table I with its positions averaged, and more channels than are computed between two branches."""
    model = ModelBuilder(seed=8)
    for width, pool in ((8, False), (36, True), (36, False), (12, True)):
        model.conv(width, 3).leaky_relu(0.01)
        if pool:
            model.max_pool(2)
    return model.average_pool(32).flatten().dense(16).leaky_relu(0.01).mark_embedding().dense(6).finish()


def global_mean() -> bytes:
    """MEAN over time, an embedding that is used as it is, a steep LeakyReLU."""
    model = ModelBuilder(seed=3).conv(10, 3).leaky_relu(0.3).max_pool(4).conv(20, 7).leaky_relu(0.1)
    return model.mean(1, 2).dense(13).mark_embedding().dense(6).finish()


def odd_shapes() -> bytes:
    """Even kernels, strides, no padding, overlapping pools, channel counts that divide by nothing."""
    model = ModelBuilder(seed=4).conv(7, 4, stride=2).relu().conv(5, 3, same=False).leaky_relu(0.2)
    model.max_pool(3, stride=2, relu=True).conv(9, 6, relu=True).average_pool(5, stride=3, relu=True)
    return (
        model.conv(11, 1).mean(2).flatten().dense(3).leaky_relu(0.5).mark_embedding().leaky_relu(0.9).dense(6).finish()
    )


def tiny_windows() -> bytes:
    """A kernel longer than what it slides over, pooled to one position."""
    model = ModelBuilder(seed=5).max_pool(32).conv(6, 9, relu=True).average_pool(4)
    return model.reshape(1, 6).dense(4, relu=True).mark_embedding().dense(6).finish()


def capped() -> bytes:
    """ReLU6 fused, at scales that reach beyond 6."""
    model = ModelBuilder(seed=6).conv(12, 5, relu6=True).max_pool(4).conv(16, 3).leaky_relu(0.3).max_pool(8)
    return model.flatten().dense(24, relu=True).mark_embedding().dense(6).finish()


def broken_blocks() -> bytes:
    """Sums that are not shifted after the multiplication, even taps, and positions that are no whole blocks of four."""
    model = ModelBuilder(seed=7).conv(10, 2)
    source, weights = model.graph.operators[-1].inputs[:2]
    products = model.scale_of(source)[0] * model.scale_of(weights)
    scale = float(products.max()) / 0.9
    model.quantize(model.current, scale, -7)
    model.values = model.values.clip(scale * (-128 + 7), scale * (127 + 7))
    model.conv(9, 5, same=False).conv(8, 3, same=False).leaky_relu(0.4).conv(7, 4, relu=True)
    return model.average_pool(61).flatten().dense(20).mark_embedding().dense(6).finish()


NETWORKS: dict[str, Callable[[], bytes]] = {
    build.__name__: build
    for build in (compact, paper_like, paper_gap, global_mean, odd_shapes, tiny_windows, capped, broken_blocks)
}
