"""`sfr`: System Fingerprint Recognition: seven Mandarin text-to-speech vendors, and genuine speech."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from earwitness_corpora._files import absent, audio_in, files_below, split_of

SUBSETS = {"01": "train", "02": "dev", "03": "test"}
VENDORS = {
    "aispeech": "aispeech",
    **dict.fromkeys(("alibabacloud", "alibaba", "aliyun"), "alibaba-cloud"),
    **dict.fromkeys(("baiduaicloud", "baidu"), "baidu-ai-cloud"),
    "databaker": "databaker",
    "sogou": "sogou",
    **dict.fromkeys(("tencentcloud", "tencent"), "tencent-cloud"),
    **dict.fromkeys(("iflytek", "xunfei"), "iflytek"),
    **dict.fromkeys(("real", "genuine", "bonafide"), "genuine"),
}


@dataclass(frozen=True, slots=True)
class SFR:
    """Clips below folders named after vendors: source is the vendor, of real speech `genuine`.

    The corpus is Yan et al., "System Fingerprint Recognition for Deepfake Audio: An Initial Dataset and Investigation"
    (arXiv 2208.10489; zenodo.org/records/13318702 clean, 13340666 compressed). The paper gives vendors, splits and the
    clean and compressed sets; the record on Zenodo says that the subsets 01, 02 and 03 are train, dev and test.

    **What lies below those folders could not be verified.** The reader wants, at any depth and in any order, a folder
    named after a vendor (Baidu Ai Cloud, baidu_ai_cloud and baidu are one), and takes the split from a folder 01, 02,
    03, train, dev or test; `condition` from a folder that says clean or compressed; and `speaker` from the folder
    below the vendor's, where there is one.
    """

    name: ClassVar[str] = "sfr"

    def __call__(self, root: Path) -> Iterator[Mapping[str, str]]:
        """The rows; ManifestError where no folder is named after a vendor."""
        clips = {file: file.relative_to(root.parent).parts[:-1] for file in audio_in(files_below(root))}
        vendors = {file: at for file, folders in clips.items() if (at := _vendor(folders)) is not None}
        if not vendors:
            raise absent(root, "folder named after a vendor, such as Aispeech", "use 'folders' for a folder a class")
        for file, at in vendors.items():
            yield _row(file, clips[file], at)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())


def _vendor(folders: tuple[str, ...]) -> int | None:
    """Where among its folders the vendor of a clip is named, the innermost counting."""
    return max((at for at, folder in enumerate(folders) if _plain(folder) in VENDORS), default=None)


def _row(file: Path, folders: tuple[str, ...], at: int) -> Mapping[str, str]:
    splits = [found for folder in folders if (found := SUBSETS.get(folder) or split_of(folder))]
    conditions = [word for word in ("clean", "compressed") for folder in folders if word in _plain(folder)]
    return {
        "path": str(file),
        "source": VENDORS[_plain(folders[at])],
        "task": "system",
        "split": splits[-1] if splits else "",
        "speaker": next(iter(folders[at + 1 :]), ""),
        "corpus": "sfr",
        "language": "zh",
        "condition": conditions[-1] if conditions else "",
    }
