"""What commands say: English text that can be told in other languages as well."""

from __future__ import annotations

from typing import Any

from . import texts


class Said(str):
    """A sentence of `texts/<language>/commands.toml`, in English, and on request in another language.

    Args:
        key: of the sentence, under `[says]`.
        values: what fills its gaps. Those that were said themselves are told in the same language, and so
            are words that stand under `[words]`.

    >>> here = Said("absent", name="onnx")
    >>> here, here.told("zh-CN")
    ('onnx is not installed', '没有安装 onnx')
    """

    key: str
    values: dict[str, Any]

    def __new__(cls, key: str, **values: Any) -> Said:
        said = super().__new__(cls, _sentence(key, values, "en"))
        said.key, said.values = key, values
        return said

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, Any]]:
        """What a copy is made of."""
        return (self.key,), self.values

    def told(self, language: str) -> str:
        """The sentence in a language."""
        return _sentence(self.key, self.values, language)


def told(text: str, language: str) -> str:
    """A text in a language, where it was said or is a word known to commands; else as it is."""
    if isinstance(text, Said):
        return text.told(language)
    return str(texts.read(language, "commands")["words"].get(text, text))


def _sentence(key: str, values: dict[str, Any], language: str) -> str:
    spoken = texts.read(language, "commands")["says"][key]
    filled = {k: told(v, language) if isinstance(v, str) else v for k, v in values.items()}
    return str(spoken).format(**filled)
