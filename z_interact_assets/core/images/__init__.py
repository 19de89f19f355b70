"""Images as bytes: what format they are, that they are whole, how large they unpack. Bytes in, an ImageProof out.

One format a file: each walks its structure from header to end without decoding pixels (BMP, TIFF and AVIF are decoded
by Pillow instead). Bounds are checked against the header before anything is unpacked. Whatever the input, the only
exception out of here is ImageRejectedError. No file names, no media types from elsewhere, nothing re-encoded.
"""

from z_interact_assets.core.images.digests import digest
from z_interact_assets.core.images.proving import prove_image
from z_interact_assets.core.images.sniffing import sniff

__all__ = ["digest", "prove_image", "sniff"]
