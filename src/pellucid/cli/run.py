"""`pellucid run 6.20`: one experiment. Its settings are options, made when it is called."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import ArgumentError, DataError, MissingExtraError
from .common import WIDTH, Bar, Json, Lang, console, show_json

if TYPE_CHECKING:
    from ..book import Experiment, Parameter, Result
    from ..book.records import Record

# Everything after `run` is handed on: which options there are, only the experiment knows.
CONTEXT = {"help_option_names": [], "ignore_unknown_options": True}
INNER: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": WIDTH}
FLAGS = (
    "--explain",
    "--fresh",
    "--json",
    "--help",
    "-h",
)  # options of all experiments that take no value


def command(
    words: Annotated[list[str] | None, typer.Argument(metavar="SECTION")] = None,
) -> None:
    """Run an experiment of the book, with settings of your own if you like."""
    from ..book import find

    section, options = split(words or [])
    if section is None:
        if words and not {"-h", "--help"} & set(words):
            raise typer.BadParameter("which experiment? Name its section: pellucid run 6.20 ...")
        section, experiment, options = "SECTION", None, ["--help"]
    else:
        experiment = find(section)
    inner = typer.main.get_command(_app(experiment, _spoken(options)))
    with inner.make_context(f"pellucid run {section}", options) as context:
        inner.invoke(context)


def split(words: list[str]) -> tuple[str | None, list[str]]:
    """The section among the words of a command line, and what is left: its options.

    >>> split(["6.20", "--lr", "0.3"]), split(["--lr", "0.3", "--explain", "6.20"])
    (('6.20', ['--lr', '0.3']), ('6.20', ['--lr', '0.3', '--explain']))
    """
    before = ""
    for i, word in enumerate(words):
        takes_a_value = before.startswith("-") and "=" not in before and before not in FLAGS
        if not word.startswith("-") and not takes_a_value:
            return word, words[:i] + words[i + 1 :]
        before = word
    return None, words


def _spoken(options: list[str]) -> str:
    """The language to help in: help is asked for before the options are read."""
    from ..book.texts import as_language, language

    told = " ".join(options).replace("--lang=", "--lang ").partition("--lang ")[2].split()
    return (as_language(told[0]) if told else None) or language()


def _options(
    *,
    explain: Annotated[
        bool, typer.Option("--explain", help="Tell the first steps in full, number by number.")
    ] = False,
    watch: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="How many steps to tell in full (3).")
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw curves and images: a .png, .svg or .pdf."),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin anew, where an interrupted run would go on.")
    ] = False,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """The options that all experiments have; the settings of each stand before them."""


def _app(experiment: Experiment | None, language: str) -> typer.Typer:
    """A command of its own for this experiment."""

    def run(**given: Any) -> None:
        if experiment is not None:
            common = {name: given.pop(name) for name in shared}
            _run(experiment, given, **common)

    shared = inspect.signature(_options, eval_str=True).parameters
    own = [] if experiment is None else [_option(p, language) for p in experiment.parameters]
    run.__signature__ = inspect.Signature([*own, *shared.values()])  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in (*own, *shared.values())}
    run.__doc__, examples = _help(experiment, language)
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command(context_settings=INNER, epilog=examples)(run)
    return app


def _option(p: Parameter, language: str) -> inspect.Parameter:
    """A setting as an option; `lr` also goes by the book's name for it."""
    name = "--" + p.name.replace("_", "-")
    names = [f"{name}/--no-{name[2:]}"] if p.type is bool else [name]
    if p.name == "lr":
        names.append("--alpha")
    from ..book import texts

    label, told = texts.setting(p.name, p.help, language)
    if language != "en":  # where the name of the option says nothing
        told = f"{label}：{told}"
    kind, option = inspect.Parameter.KEYWORD_ONLY, typer.Option(p.default, *names, help=told)
    return inspect.Parameter(p.name, kind, default=option, annotation=p.type)


def _help(e: Experiment | None, language: str) -> tuple[str, str]:
    """What `--help` says before and after the options."""
    if e is None:
        return "Run an experiment of the book, with settings of your own if you like.", (
            "\b\nExamples:\n"
            "  pellucid run 6.20 --explain       number by number\n"
            "  pellucid run 6.20 --help          its settings\n"
            "  pellucid run 4.24 --alpha 0.5     another setting than the published one\n"
            "  pellucid list                     the experiments there are"
        )
    from ..book import texts

    about = texts.about(e.id, language)
    shows = " ".join(about.get("shows", "").split())
    lines = [f"  pellucid run {e.id} --explain"]
    lines += [f"  pellucid run {e.id} {_another(p)}" for p in e.parameters[:1] if p.default != ""]
    lines.append(f"  pellucid run {e.id} --plot picture.png")
    heading = f"{e.span}: {about.get('title', e.summary)}"
    return f"{heading}\n\n{shows}", "\b\nExamples:\n" + "\n".join(lines)


def _another(p: Parameter) -> str:
    """An option with another value than the published one, where it is a number."""
    if p.type is int:
        value = str(2 * p.default or 1)
    else:
        value = f"{p.default / 2 or 1:g}" if p.type is float else f'"{p.default}"'
    return f"--{p.name.replace('_', '-')} {value}"


def _run(
    experiment: Experiment,
    settings: dict[str, Any],
    explain: bool,
    watch: int | None,
    plot: Path | None,
    fresh: bool,
    lang: str | None,
    as_json: bool,
) -> None:
    from ..book import plots, report
    from ..explain import picture

    if plot is not None:  # said before a long run, not after it
        picture.check_ending(plot)
        if not picture.available():
            raise MissingExtraError("plots", "book")
    language = lang or "en"
    result, record = _recorded(experiment, settings, 3 if watch is None else watch, fresh, language)
    if plot is not None:
        plots.save(experiment, result, plot, language=language)
    if as_json:
        show_json({"run": record and record.name, **_plain(experiment, result, language)})
    else:
        report.show(
            console(), experiment, result, language=language, explain=explain or watch is not None
        )
        if plot is not None:
            console().print(str(plot), soft_wrap=True)
        if record is not None:
            told = sentence(experiment, language, "run.recorded", name=record.name)
            console().print(told, style="dim", soft_wrap=True)


def _recorded(
    experiment: Experiment, settings: dict[str, Any], watch: int, fresh: bool, language: str
) -> tuple[Result, Record | None]:
    """Run it, going on where it was interrupted, and keep a record of it."""
    from ..book import records

    def note(key: str, **values: Any) -> None:
        typer.echo(sentence(experiment, language, key, **values), err=True)

    keeper = records.keeper(experiment, experiment.settle(settings), watch)
    keeper.announce = lambda part, done, total: note(
        "run.goes_on", part=part, done=done, total=total
    )
    if fresh:
        keeper.forget()
    try:
        with Bar(experiment.span) as bar:
            result = experiment.run(on_progress=bar, watch=watch, keeper=keeper, **settings)
    except MemoryError:
        raise ArgumentError(
            f"experiment {experiment.span} needs more memory than there is with these settings"
        ) from None
    except KeyboardInterrupt:
        if keeper.there:
            note("run.interrupted")
        raise
    try:
        record = records.write(experiment, result)
    except DataError as error:  # what was found is worth more than its record
        typer.echo(f"pellucid: {error.message}", err=True)
        return result, None
    keeper.forget()
    return result, record


def sentence(experiment: Experiment, language: str, key: str, **values: Any) -> str:
    """A sentence about an experiment."""
    from ..book.report import Speaker
    from ..book.result import Note

    return Speaker(experiment.id, language).sentence(Note(key, values))


def _plain(e: Experiment, result: Any, language: str) -> dict[str, Any]:
    from .listing import title

    figures = [
        {
            "name": c.figure.name,
            "how": c.figure.how,
            "published": c.figure.published,
            "ours": c.ours,
            "met": c.met,
        }
        for c in e.compare(result)
    ]
    about = {"id": e.id, "span": e.span, "title": title(e, language)}
    return {**about, "figures": figures, **result.as_dict()}
