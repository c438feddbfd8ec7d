"""The table of datasets: which files, how large, their SHA-256, where they are published, licences.

The files keep the forms and names in which the datasets are usually published. A file without `url`
is a repacked part of a larger published archive; `home` says where that is.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class File:
    """One file of a dataset.

    Attributes:
        name: its name in the dataset's folder.
        bytes: its size.
        sha256: its fingerprint.
        what: what it holds, in one line.
        urls: where it can be fetched as it is, the first that answers; empty where nowhere.
        optional: the dataset is whole without it.
        serves_for: the file that it can stand for, being a part of it that is enough.
    """

    name: str
    bytes: int
    sha256: str
    what: str
    urls: tuple[str, ...] = ()
    optional: bool = False
    serves_for: str = ""


@dataclass(frozen=True)
class Source:
    """One dataset: its files and what a person should know about it.

    Attributes:
        name: the folder's name, and what the command line calls it.
        title: what people call it.
        what: one line about it.
        files: its files; none for data that come with another package.
        home: where it is published.
        licence: under what terms.
        citation: whom to name.
        note: how the files differ from what is published; empty where they do not.
        stand_in: what can take its place where it cannot be had; empty where nothing can.
    """

    name: str
    title: str
    what: str
    files: tuple[File, ...]
    home: str
    licence: str
    citation: str
    note: str = ""
    stand_in: str = ""

    @property
    def bytes(self) -> int:
        """The size of all files that make the dataset whole."""
        return sum(file.bytes for file in self.files if not file.optional)

    def file(self, name: str) -> File:
        """The file of that name."""
        return next(file for file in self.files if file.name == name)


def _at(servers: tuple[str, ...], *files: tuple[str, int, str, str]) -> tuple[File, ...]:
    """Files that are published under their own names on several servers."""
    return tuple(
        File(name, size, sha, what, tuple(server + name for server in servers))
        for name, size, sha, what in files
    )


MNIST = Source(
    name="mnist",
    title="MNIST",
    what="70,000 handwritten digits, 28 x 28 grey",
    files=(
        *_at(
            (
                "https://ossci-datasets.s3.amazonaws.com/mnist/",
                "https://storage.googleapis.com/cvdf-datasets/mnist/",
            ),
            (
                "train-images-idx3-ubyte.gz",
                9_912_422,
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
                "60,000 training images",
            ),
            (
                "train-labels-idx1-ubyte.gz",
                28_881,
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
                "their labels",
            ),
            (
                "t10k-images-idx3-ubyte.gz",
                1_648_877,
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
                "10,000 test images",
            ),
            (
                "t10k-labels-idx1-ubyte.gz",
                4_542,
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
                "their labels",
            ),
        ),
        File(
            "train-first-1000-images-idx3-ubyte.gz",
            161_728,
            "2ac99ff5a3d8394892213fcbf0383ba98c1a173e282a74877fccaae87917f1db",
            "the first 1,000 training images",
            optional=True,
        ),
    ),
    home="https://yann.lecun.com/exdb/mnist/",
    licence="commonly distributed under CC BY-SA 3.0",
    citation="LeCun, Bottou, Bengio and Haffner, Gradient-Based Learning Applied to Document "
    "Recognition, Proceedings of the IEEE, 1998",
    stand_in="scikit-learn's 1,797 handwritten digits of 8 x 8",
)

FASHION_MNIST = Source(
    name="fashion-mnist",
    title="Fashion-MNIST",
    what="70,000 pictures of clothes, 28 x 28 grey",
    files=_at(
        (
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        ),
        (
            "train-images-idx3-ubyte.gz",
            26_421_880,
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            "60,000 training images",
        ),
        (
            "train-labels-idx1-ubyte.gz",
            29_515,
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            "their labels",
        ),
        (
            "t10k-images-idx3-ubyte.gz",
            4_422_102,
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            "10,000 test images",
        ),
        (
            "t10k-labels-idx1-ubyte.gz",
            5_148,
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            "their labels",
        ),
    ),
    home="https://github.com/zalandoresearch/fashion-mnist",
    licence="MIT",
    citation="Xiao, Rasul and Vollgraf, Fashion-MNIST: a Novel Image Dataset for Benchmarking "
    "Machine Learning Algorithms, 2017",
)

DIGITS = Source(
    name="digits",
    title="Digits",
    what="1,797 handwritten digits, 8 x 8 grey; they come with scikit-learn",
    files=(),
    home="https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits",
    licence="CC BY 4.0",
    citation="Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998",
)

IMDB = Source(
    name="imdb",
    title="Large Movie Review Dataset",
    what="50,000 film reviews, half of them favourable",
    files=(
        File(
            "aclImdb_v1.tar.gz",
            84_125_825,
            "c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe",
            "aclImdb/{train,test}/{pos,neg}/ID_RATING.txt, 12,500 each, and what has no label",
            ("https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",),
        ),
        File(
            "aclImdb-labelled.tar.gz",
            27_764_178,
            "eada8d4068e13728e1a0965a34b66d0f7c4a8828a9fc2832b41ee71d6ab9f010",
            "the same without what has no label",
            optional=True,
            serves_for="aclImdb_v1.tar.gz",
        ),
    ),
    home="https://ai.stanford.edu/~amaas/data/sentiment/",
    licence="none stated; offered for research",
    citation="Maas et al., Learning Word Vectors for Sentiment Analysis, ACL 2011",
    note="aclImdb-labelled.tar.gz is repacked from the published archive: only labelled reviews",
    stand_in="reviews of a few sentences, made up by a small generator",
)

BABI = Source(
    name="babi",
    title="bAbI tasks v1.1",
    what="20 kinds of little stories with questions, English",
    files=(
        File(
            "babi-tasksv11-en.tar.gz",
            591_035,
            "b3285534d1c9b6966f3caf0d04725b70654e225e618d5588dab9be7e8d0f352b",
            "tasksv11/en/qaN_NAME_{train,test}.txt, 1,000 questions each",
        ),
    ),
    home="http://www.thespermwhale.com/jaseweston/babi/tasks_1-20_v1-2.tar.gz",
    licence="CC BY 3.0",
    citation="Weston et al., Towards AI-Complete Question Answering, 2015",
    note="version 1.1, repacked without the shuffled copies; the address is that of version 1.2",
    stand_in="stories of the same kind (task 1), made up by a small generator",
)

SHAKESPEARE = Source(
    name="shakespeare",
    title="Tiny Shakespeare",
    what="a million characters of Shakespeare's plays, and a 100 KB imitation",
    files=(
        File(
            "tinyshakespeare.txt",
            1_115_394,
            "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
            "1,115,394 characters of the plays",
            (
                "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
            ),
        ),
        File(
            "shakespear-100k.txt",
            99_993,
            "c879e55c5e318b9d978064e246306e01d60be15a50f64d9438daeaeacbc119e8",
            "99,993 characters of imitation, the text of chapter 14",
            (
                "https://raw.githubusercontent.com/iamtrask/Grokking-Deep-Learning/master/shakespear.txt",
            ),
        ),
    ),
    home="https://github.com/karpathy/char-rnn",
    licence="text in the public domain; for the imitation none stated",
    citation="Karpathy, char-rnn, 2015",
    note="shakespear-100k.txt is not Shakespeare: it reads like the output of a language model",
    stand_in="the pages that Python's own help() shows",
)

ENRON = Source(
    name="enron",
    title="Enron-Spam",
    what="33,715 e-mails, wanted (ham) and unwanted (spam)",
    files=(
        File(
            "enron-spam.tar.gz",
            17_115_372,
            "9b928f99f478bb6e022d368ce557763ec0e44a73b7650e2edd06ded69ef4b9b8",
            "enron{1..6}/{ham,spam}/NAME.txt",
        ),
    ),
    home="http://www2.aueb.gr/users/ion/data/enron-spam/",
    licence="none stated; published for research",
    citation="Metsis, Androutsopoulos and Paliouras, Spam Filtering with Naive Bayes - Which Naive "
    "Bayes?, CEAS 2006",
    note="the six published archives in one; one mail of enron4 is missing, line ends are LF",
    stand_in="short mails, made up by a small generator",
)

RT_POLARITY = Source(
    name="rt-polarity",
    title="Sentence polarity dataset v1.0",
    what="10,662 one-sentence film reviews, half of them favourable",
    files=(
        File(
            "rt-polarity.pos",
            626_168,
            "d79ef14009bbf87cd6be21f91c3ea1a3cbcb73b34dfb4231aef7bbcd7677abc4",
            "5,331 favourable sentences, one a line",
        ),
        File(
            "rt-polarity.neg",
            612_290,
            "4af43bf489620b498a0852c5a8c6a535155dec7985fdfea782b8f7756b957ccc",
            "5,331 unfavourable ones",
        ),
    ),
    home="https://www.cs.cornell.edu/people/pabo/movie-review-data/rt-polaritydata.tar.gz",
    licence="CC BY 4.0 according to redistributions",
    citation="Pang and Lee, Seeing Stars, ACL 2005",
    note="taken out of the published archive; line ends are LF where it has CRLF, both will do",
    stand_in="reviews of a few sentences, made up by a small generator",
)

ALL: dict[str, Source] = {
    source.name: source
    for source in (MNIST, FASHION_MNIST, DIGITS, IMDB, BABI, SHAKESPEARE, ENRON, RT_POLARITY)
}
