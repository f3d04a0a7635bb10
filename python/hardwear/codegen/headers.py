"""The generated headers that repeat the bundle's manifest: contract, known answer and the table of its softmax."""

from hardwear import __version__
from hardwear.codegen.templating import environment
from hardwear.manifest import Manifest


def render_contract(manifest: Manifest, banner: str, identity: str) -> str:
    """The text of `contract.h`.

    Args:
        manifest: The bundle's manifest.
        banner: C++ comment that names what made the file.
        identity: SHA-256 of the manifest, hex.
    """
    template = environment().get_template("contract.h.j2")
    return template.render(
        banner=banner,
        version=__version__,
        identity=identity,
        identity_bytes=[f"0x{byte:02x}" for byte in bytes.fromhex(identity)[:8]],
        manifest=manifest,
    )


def render_known_answer(manifest: Manifest, banner: str, identity: str) -> str:
    """The text of `known_answer.h`.

    Args:
        manifest: The bundle's manifest.
        banner: C++ comment that names what made the file.
        identity: SHA-256 of the manifest, hex.
    """
    known = manifest.known_answer
    counts = known.counts()
    template = environment().get_template("known_answer.h.j2")
    return template.render(banner=banner, identity=identity, known=known, counts=counts)


def render_confidence_table(manifest: Manifest, banner: str, identity: str) -> str:
    """The text of `confidence_table.h`.

    Args:
        manifest: The bundle's manifest.
        banner: C++ comment that names what made the file.
        identity: SHA-256 of the manifest, hex.
    """
    template = environment().get_template("confidence_table.h.j2")
    return template.render(banner=banner, identity=identity, softmax=manifest.softmax)
