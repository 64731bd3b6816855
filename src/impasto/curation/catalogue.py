"""The collections that `impasto data get` knows by name: contents, addresses and licences.

Sizes and hashes of the CycleGAN archives are from TensorFlow Datasets (url_checksums), MNIST's from torchvision,
CIFAR-10's from its publisher. The pix2pix archives have no published hash: that of the first download is remembered.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from impasto.errors import DataError, did_you_mean


@dataclass(frozen=True)
class Download:
    """One file and its known properties."""

    urls: tuple[str, ...]
    """Mirrors, in order of preference."""
    size: int | None = None
    """Bytes."""
    digest: str | None = None
    """`md5:HEX` or `sha256:HEX`."""
    rough_size: int | None = None
    """Approximate bytes, for display only."""

    @property
    def name(self) -> str:
        """The published name of the file."""
        return PurePosixPath(self.urls[0]).name


@dataclass(frozen=True)
class Entry:
    """One collection."""

    name: str
    what: str
    layout: str
    """The layout of its folder: a key of impasto.data.layouts.LAYOUTS."""
    licence: str
    """The name of the licence, or one or two words instead."""
    rights: str
    """Further conditions of use."""
    citation: str
    source: str
    """The page of its publisher."""
    files: tuple[Download, ...] = ()
    packed: bool = False
    """Whether the file is an archive. Otherwise the files are used as they are."""
    hub: bool = False
    """Whether it is the dataset of this name on the Hugging Face hub."""
    by_hand: str | None = None
    """Why it cannot be downloaded, and what to do instead."""
    rough_size: int | None = None
    """Approximate bytes, if there are no files to add up."""

    @property
    def size(self) -> int | None:
        """Bytes to download, if known. For display only."""
        sizes = [file.size or file.rough_size for file in self.files]
        return sum(size or 0 for size in sizes) if sizes and all(sizes) else self.rough_size


NO_LICENCE = "none stated"
EFROS_GANS = "https://efrosgans.eecs.berkeley.edu"
CYCLEGAN_PAPER = "Zhu, Park, Isola, Efros: Unpaired Image-to-Image Translation (CycleGAN), ICCV 2017"
PIX2PIX_PAPER = "Isola, Zhu, Zhou, Efros: Image-to-Image Translation with Conditional Adversarial Networks, CVPR 2017"
FACADES_PAPER = "Tylecek, Sara: Spatial Pattern Templates for Recognition of Objects with Regular Structure, GCPR 2013"
CITYSCAPES_BY_HAND = (
    "its licence forbids copies elsewhere; register at https://www.cityscapes-dataset.com, download "
    "gtFine_trainvaltest.zip and leftImg8bit_trainvaltest.zip, and pair them with prepare_cityscapes_dataset.py of "
    "https://github.com/junyanz/pytorch-CycleGAN-and-pix2pix"
)


def _cyclegan(name: str, what: str, of: str, size: int, sha256: str, also: str = "") -> Entry:
    archive = f"{name.removeprefix('cyclegan-')}.zip"
    url = f"{EFROS_GANS}/cyclegan/datasets/{archive}"
    return Entry(
        name,
        what,
        "two-domains",
        NO_LICENCE,
        f"the rights are those of the {of}; cite the paper",
        f"{CYCLEGAN_PAPER}{also}",
        "https://junyanz.github.io/CycleGAN/",
        (Download((url, url.replace("https:", "http:")), size, f"sha256:{sha256}"),),
        packed=True,
    )


def _pix2pix(
    name: str, what: str, of: str, also: str = "", *, size: int | None = None, rough: int | None = None
) -> Entry:
    url = f"{EFROS_GANS}/pix2pix/datasets/{name.removeprefix('pix2pix-')}.tar.gz"
    return Entry(
        name,
        what,
        "side-by-side",
        NO_LICENCE,
        f"the rights are those of the {of}; cite the paper",
        f"{PIX2PIX_PAPER}{also}",
        "https://phillipi.github.io/pix2pix/",
        (Download((url,), size, rough_size=rough),),
        packed=True,
    )


def _mnist_file(name: str, size: int, md5: str) -> Download:
    mirrors = (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "http://yann.lecun.com/exdb/mnist/",
    )
    return Download(tuple(mirror + name for mirror in mirrors), size, f"md5:{md5}")


ENTRIES = (
    _cyclegan(
        "apple2orange", "996 photos of apples, 1,020 of oranges (ImageNet)", "photographers",
        78_456_409, "845a191e9af8926408ea597001cd03a452e3300a1f44a79fe329b3d59f6e3eb8",
    ),
    _cyclegan(
        "summer2winter_yosemite", "1,273 summer and 854 winter photos of Yosemite (Flickr)", "photographers",
        132_640_856, "167fe1726807a9d22bd106b4a6c0bd7953b688af924ac1bf967439c4961e49f9",
    ),
    _cyclegan(
        "horse2zebra", "939 photos of horses, 1,177 of zebras (ImageNet)", "photographers",
        116_867_962, "a74d9d392eecca9966b51287a76ca126af473d9de4f3e8fc0e9cda08fa1730a1",
    ),
    _cyclegan(
        "monet2photo", "1,074 paintings by Monet (WikiArt), 6,853 landscape photos (Flickr)", "photographers",
        305_231_073, "88f91b00fc228f97c9411fbf1880ec1d119c98f1722e4cfcfaa2fb35fac05b04",
    ),
    _cyclegan(
        "cezanne2photo", "584 paintings by Cezanne (WikiArt), 6,853 landscape photos (Flickr)", "photographers",
        279_885_071, "3a6c10ca21f9485862f1cbd707744b9dc258954a04631271d23a3605eeb63cff",
    ),
    _cyclegan(
        "ukiyoe2photo", "1,433 ukiyo-e prints (WikiArt), 6,853 landscape photos (Flickr)", "photographers",
        292_946_532, "02a2a2fb5ecf425ca1bf86aca7304377da64a2a1d3b86df54eb65e4068bf3b08",
    ),
    _cyclegan(
        "vangogh2photo", "401 paintings by van Gogh (WikiArt), 6,853 landscape photos (Flickr)", "photographers",
        306_590_349, "362c3473e70be0944bda08d49d660eafdc2854df55d697835b8186d1d79caaff",
    ),
    _cyclegan(
        "cyclegan-maps", "1,096 aerial photos and maps of New York (Google Maps)", "map's publisher",
        1_476_754_427, "639534f69dbf9f36bef8d6292a7698006361221f83f0285d7c9ca78afe6e8a9e",
    ),
    _cyclegan(
        "cyclegan-facades", "400 facades and their label maps (CMP Facade Database)", "database's makers",
        35_135_868, "9a31ebf3a31b9b5cd195dd5bf62e9308e00cb94604d1019e3889ac84248695c0", f"; {FACADES_PAPER}",
    ),
    _cyclegan(
        "iphone2dslr_flower", "1,813 flowers by telephone, 3,316 by reflex camera (Flickr)", "photographers",
        339_964_458, "8fcb5e374d631b107e1d961b8c4cd0a186aa2a4ff3e279923f4c426128de7113",
    ),
    _pix2pix(
        "pix2pix-facades", "400 facades with label maps (CMP Facade Database)", "database's makers",
        f"; {FACADES_PAPER}", size=30_168_306,
    ),
    _pix2pix(
        "pix2pix-maps", "1,096 aerial photos with maps of New York (Google Maps)", "map's publisher", size=250_242_400
    ),
    _pix2pix(
        "edges2shoes", "50,000 photos of shoes with their edges (UT Zappos50K)", "shops",
        "; Yu, Grauman: Fine-Grained Visual Comparisons with Local Learning, CVPR 2014", rough=2_100_000_000,
    ),
    _pix2pix(
        "edges2handbags", "137,000 photos of handbags with their edges (iGAN project)", "shops",
        "; Zhu, Kraehenbuehl, Shechtman, Efros: Generative Visual Manipulation, ECCV 2016", rough=8_600_000_000,
    ),
    _pix2pix(
        "night2day", "landscapes by night with the same by day (Transient Attributes)", "photographers",
        "; Laffont and others: Transient Attributes, SIGGRAPH 2014", rough=2_000_000_000,
    ),
    Entry(
        "cityscapes",
        "2,975 street scenes with label maps",
        "side-by-side",
        "on request",
        "for registered users only",
        "Cordts and others: The Cityscapes Dataset for Semantic Urban Scene Understanding, CVPR 2016",
        "https://www.cityscapes-dataset.com",
        by_hand=CITYSCAPES_BY_HAND,
    ),
    Entry(
        "mnist",
        "70,000 handwritten digits, 28 x 28, grey",
        "mnist",
        "CC BY-SA 3.0",
        "name LeCun and Cortes, and share under the same licence what you make of it",
        "LeCun, Bottou, Bengio, Haffner: Gradient-Based Learning Applied to Document Recognition, 1998",
        "http://yann.lecun.com/exdb/mnist/",
        (
            _mnist_file("train-images-idx3-ubyte.gz", 9_912_422, "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
            _mnist_file("train-labels-idx1-ubyte.gz", 28_881, "d53e105ee54ea40749a09fcbcd1e9432"),
            _mnist_file("t10k-images-idx3-ubyte.gz", 1_648_877, "9fb629c4189551a2d022fa330f9573f3"),
            _mnist_file("t10k-labels-idx1-ubyte.gz", 4_542, "ec29112dd5afa0611ce80d1b7f02629c"),
        ),
    ),
    Entry(
        "cifar-10",
        "60,000 photos in 10 classes, 32 x 32",
        "cifar-10",
        NO_LICENCE,
        "cite the report",
        "Krizhevsky: Learning Multiple Layers of Features from Tiny Images, 2009",
        "https://www.cs.toronto.edu/~kriz/cifar.html",
        (
            Download(  # the binary version: the Python one is pickled
                ("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",),
                170_052_171,
                "md5:c32a1d4ab5d03f1284b67883e8d87530",
            ),
        ),
        packed=True,
    ),
    Entry(
        "huggan/wikiart",
        "81,444 paintings with style, genre and artist (WikiArt)",
        "plain",
        NO_LICENCE,
        "the rights are those of the artists",
        "WikiArt Visual Art Encyclopedia, www.wikiart.org",
        "https://huggingface.co/datasets/huggan/wikiart",
        hub=True,
        rough_size=38_000_000_000,
    ),
)  # fmt: skip

FAMILIES = ("cyclegan", "pix2pix")
"""Prefixes of names that two publishers use."""

KNOWN = {entry.name: entry for entry in ENTRIES}


def find(name: str) -> Entry:
    """Return a collection by name. Any OWNER/NAME is a dataset of the Hugging Face hub.

    Raises DataError for unknown and for ambiguous names.
    """
    if name in KNOWN:
        return KNOWN[name]
    if "/" in name:
        page = f"https://huggingface.co/datasets/{name.partition(':')[0]}"
        return Entry(
            name,
            "a dataset of the Hugging Face hub",
            "plain",
            "see its page",
            "see its page",
            "see its page",
            page,
            hub=True,
        )
    twins = [twin for twin in (f"{family}-{name}" for family in FAMILIES) if twin in KNOWN]
    if twins:
        raise DataError(f"there are two collections {name}; use {' or '.join(twins)}")
    raise DataError(
        f"{name} is neither a collection of `impasto list data` nor OWNER/NAME of the Hugging Face "
        f"hub{did_you_mean(name, KNOWN)}"
    )
