"""Boards as Grafana's dashboards, in schema v1; the one module that knows grafana-foundation-sdk.

The SDK has no query of the PostgreSQL data source, so `SqlQuery` is ours.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Self, TypeAlias

from grafana_foundation_sdk.builders import dashboard as boards
from grafana_foundation_sdk.builders import geomap, stat, statetimeline, statushistory, table, timeseries
from grafana_foundation_sdk.builders.common import (
    FrameGeometrySource,
    GraphThresholdsStyleConfig,
    MapLayerOptions,
    ReduceDataOptions,
    StackingConfig,
    VizLegendOptions,
    VizTooltipOptions,
)
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as models

from api.grafana.board import (
    Annotation,
    Board,
    BoardColumn,
    BoardLink,
    BoardWord,
    Chart,
    ColourStep,
    Shape,
    Variable,
    places,
)

SOURCE_UID = "nabd"
"""Of the data source in every organisation, so that one dashboard fits all of them."""
SOURCE_TYPE = "grafana-postgresql-datasource"
ALL = "'*'"
"""How a query sees that everything of a variable is chosen; Grafana writes it as it is."""
SOURCE = common.DataSourceRef(type_val=SOURCE_TYPE, uid=SOURCE_UID)
POSTED = common.DataSourceRef(type_val="grafana", uid="-- Grafana --")
"""Grafana's own store, in which annotations are that were posted."""

PanelBuilder: TypeAlias = (
    timeseries.Panel | stat.Panel | table.Panel | geomap.Panel | statetimeline.Panel | statushistory.Panel
)


class SqlQuery(Dataquery, Builder[Dataquery]):
    """A query of the PostgreSQL data source, as its editor stores it."""

    def __init__(self, sql: str, *, series: bool = False, ref: str = "A") -> None:
        self._stored: Mapping[str, Any] = {
            "refId": ref,
            "datasource": SOURCE,
            "format": "time_series" if series else "table",
            "rawQuery": True,
            "editorMode": "code",
            "rawSql": sql,
        }

    def build(self) -> Self:
        """Return itself: it is the query and what makes it."""
        return self

    def to_json(self) -> dict[str, object]:
        """Return it as Grafana stores it."""
        return dict(self._stored)


class TagQuery(Dataquery, Builder[Dataquery]):
    """A query of annotations that were posted and have all of some tags."""

    def __init__(self, tags: tuple[str, ...]) -> None:
        self._stored = {"type": "tags", "tags": list(tags), "matchAny": False, "limit": 1000}

    def build(self) -> Self:
        """Return itself: it is the query and what makes it."""
        return self

    def to_json(self) -> dict[str, object]:
        """Return it as Grafana stores it."""
        return dict(self._stored)


def dashboard_text(board: Board) -> str:
    """Return a dashboard as the text of a JSON file, the same for the same board."""
    return json.dumps(_built(board), cls=JSONEncoder, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def dashboard_json(board: Board) -> dict[str, Any]:
    """Return a dashboard as the JSON object that Grafana's API takes."""
    found: dict[str, Any] = json.loads(dashboard_text(board))
    return found


def read_again(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return a dashboard as the SDK writes it after reading it: the same, where the SDK knows all of it."""
    register_default_plugins()
    found: dict[str, Any] = json.loads(
        json.dumps(models.Dashboard.from_json(dict(stored)), cls=JSONEncoder, ensure_ascii=False)
    )
    return found


def _built(board: Board) -> models.Dashboard:
    made = (
        boards.Dashboard(board.title)
        .uid(board.uid)
        .description(board.description)
        .tags(["nabd", board.language])
        .readonly()
        .time(board.span, "now")
        .refresh(board.refresh)
        .timezone("browser")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .variables([*map(_variable, board.variables), *map(_constant, board.constants.items())])
        .annotations([_annotation(one) for one in board.annotations])
        .links([_others(board), *(_board_link(link) for link in board.links)])
    )
    number = 0
    for section, placed in zip(board.sections, places(board), strict=True):
        if placed.heading:
            number += 1
            at = placed.heading
            made.with_row(
                boards.Row(section.title).id(number).grid_pos(models.GridPos(x=at.x, y=at.y, w=at.w, h=at.h))
            )
        for chart, place in placed.charts:
            number += 1
            position = models.GridPos(x=place.x, y=place.y, w=place.w, h=place.h)
            made.with_panel(_panel(chart).id(number).grid_pos(position))
    return made.build()


def _others(board: Board) -> boards.DashboardLink:
    """Return the menu of all dashboards in this language."""
    link = (
        boards.DashboardLink("Nabd").type(models.DashboardLinkType.DASHBOARDS).tags(["nabd", board.language])
    )
    return link.as_dropdown(True).include_vars(True).keep_time(True)


def _board_link(link: BoardLink) -> boards.DashboardLink:
    return (
        boards.DashboardLink(link.title).type(models.DashboardLinkType.LINK).url(link.url).target_blank(True)
    )


def _variable(variable: Variable) -> boards.QueryVariable:
    made = (
        boards.QueryVariable(variable.name)
        .label(variable.label)
        .description(variable.description)
        .datasource(SOURCE)
        .query(variable.sql)
        .definition(variable.sql)
        .refresh(models.VariableRefresh.ON_DASHBOARD_LOAD)
        .sort(models.VariableSort.DISABLED)
        .multi(variable.many)
        .include_all(variable.many)
    )
    if variable.many:
        made.all_value(ALL).current(models.VariableOption(text=["All"], value=["$__all"]))
    return made


def _constant(item: tuple[str, str]) -> boards.ConstantVariable:
    name, value = item
    return boards.ConstantVariable(name).value(value)


def _annotation(one: Annotation) -> boards.AnnotationQuery:
    target: SqlQuery | TagQuery = TagQuery(one.tags) if one.tags else SqlQuery(one.sql, ref="Anno")
    made = boards.AnnotationQuery().name(one.name).enable(True).icon_color(one.colour)
    return made.datasource(POSTED if one.tags else SOURCE).target(target)


def _panel(chart: Chart) -> PanelBuilder:
    made = _shaped(chart)
    # A text is a value in a table only; among series it would be the name of one.
    series = chart.shape in {Shape.TIME_SERIES, Shape.STATUS_HISTORY}
    made.title(chart.title).description(chart.description).datasource(SOURCE)
    made.with_target(SqlQuery(chart.sql, series=series)).unit(chart.unit)
    if chart.decimals is not None:
        made.decimals(chart.decimals)
    if chart.low is not None:
        made.min(chart.low)
    if chart.high is not None:
        made.max(chart.high)
    if chart.steps:
        made.thresholds(_thresholds(chart.steps))
    if chart.words:
        made.mappings([_mapping(chart.words)])
    if chart.links:
        made.data_links([_panel_link(link) for link in chart.links])
    for name, column in chart.columns.items():
        made.override_by_name(name, _properties(column))
    return made


def _shaped(chart: Chart) -> PanelBuilder:
    match chart.shape:
        case Shape.TIME_SERIES:
            return _time_series(chart)
        case Shape.STAT:
            shown = ReduceDataOptions().calcs(["lastNotNull"]).values(False)
            mode = common.BigValueColorMode.VALUE
            colour = boards.FieldColor().mode(models.FieldColorModeId.THRESHOLDS)
            return stat.Panel().reduce_options(shown).color_mode(mode).color_scheme(colour)
        case Shape.TABLE:
            return table.Panel().show_header(True).cell_height(common.TableCellHeight.SM)
        case Shape.MAP:
            return _map(chart)
        case Shape.STATE_TIMELINE:
            colour = boards.FieldColor().mode(models.FieldColorModeId.THRESHOLDS)
            return (
                statetimeline.Panel()
                .merge_values(True)
                .show_value(common.VisibilityMode.AUTO)
                .color_scheme(colour)
            )
        case Shape.STATUS_HISTORY:
            colour = boards.FieldColor().mode(models.FieldColorModeId.THRESHOLDS)
            return statushistory.Panel().show_value(common.VisibilityMode.AUTO).color_scheme(colour)


def _time_series(chart: Chart) -> timeseries.Panel:
    made = timeseries.Panel().line_width(1).show_points(common.VisibilityMode.AUTO).span_nulls(False)
    legend = VizLegendOptions().display_mode(common.LegendDisplayMode.LIST)
    made.legend(legend.placement(common.LegendPlacement.BOTTOM).show_legend(True))
    made.tooltip(VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI).sort(common.SortOrder.DESCENDING))
    if chart.stacked:
        made.draw_style(common.GraphDrawStyle.BARS).fill_opacity(70)
        made.stacking(StackingConfig().mode(common.StackingMode.NORMAL).group("A"))
    if len(chart.steps) > 1:
        style = GraphThresholdsStyleConfig().mode(common.GraphThresholdsStyleMode.DASHED)
        made.thresholds_style(style)
    return made


def _map(chart: Chart) -> geomap.Panel:
    location = (
        FrameGeometrySource().mode(common.FrameGeometrySourceMode.COORDS).latitude("lat").longitude("lon")
    )
    style = {"size": {"fixed": 6, "min": 2, "max": 12}, "opacity": 0.8}
    if chart.coloured_by:
        style["color"] = {"field": chart.coloured_by, "fixed": "green"}
    markers = MapLayerOptions().type("markers").name(chart.title).location(location).tooltip(True)
    markers.config({"showLegend": bool(chart.coloured_by), "style": style})
    ground = MapLayerOptions().type("default").name("")
    view = geomap.MapViewConfig().id("fit").all_layers(True).padding(5)
    colour = boards.FieldColor().mode(models.FieldColorModeId.THRESHOLDS)
    return geomap.Panel().layers([markers]).basemap(ground).view(view).color_scheme(colour)


def _thresholds(steps: Iterable[ColourStep]) -> boards.ThresholdsConfig:
    listed = [models.Threshold(value=step.value, color=step.colour) for step in steps]
    return boards.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(listed)


def _mapping(words: Mapping[str, BoardWord]) -> models.ValueMap:
    return models.ValueMap(
        options={
            value: models.ValueMappingResult(text=word.text, color=word.colour, index=i)
            for i, (value, word) in enumerate(words.items())
        }
    )


def _panel_link(link: BoardLink) -> boards.DashboardLink:
    return (
        boards.DashboardLink(link.title).type(models.DashboardLinkType.LINK).url(link.url).target_blank(True)
    )


def _properties(column: BoardColumn) -> list[models.DynamicConfigValue]:
    found: list[tuple[str, object]] = [("displayName", column.name)]
    if column.unit:
        found.append(("unit", column.unit))
    if column.words:
        found.append(("mappings", [_mapping(column.words)]))
    if column.words and any(word.colour for word in column.words.values()):
        found.append(("custom.cellOptions", {"type": "color-text"}))
    if column.colour:
        found.append(("color", {"mode": "fixed", "fixedColor": column.colour}))
    if column.link:
        found.append(("links", [{"title": column.link.title, "url": column.link.url, "targetBlank": True}]))
    if column.hidden:
        found.append(("custom.hidden", True))
    if column.width:
        found.append(("custom.width", column.width))
    return [models.DynamicConfigValue(id_val=name, value=value) for name, value in found]
