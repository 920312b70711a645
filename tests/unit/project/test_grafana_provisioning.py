"""What docker-compose.yml gives Grafana: the data source that dashboards name, and their files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from api.grafana.sdk import SOURCE_TYPE, SOURCE_UID
from devices.texts.languages import LANGUAGES

ROOT = Path(__file__).parents[3]
PROVISIONING = ROOT / "deploy/grafana/provisioning"
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["grafana"]


def test_data_source_is_the_one_that_dashboards_name() -> None:
    (source,) = yaml.safe_load((PROVISIONING / "datasources/nabd.yaml").read_text())["datasources"]

    assert (source["type"], source["uid"]) == (SOURCE_TYPE, SOURCE_UID)


def test_dashboards_of_each_language_are_provisioned_from_where_compose_mounts_them() -> None:
    providers = yaml.safe_load((PROVISIONING / "dashboards/nabd.yaml").read_text())["providers"]
    mounted = "/var/lib/nabd-dashboards"

    assert f"./deploy/grafana/dashboards:{mounted}:ro" in COMPOSE["volumes"]
    assert {one["options"]["path"] for one in providers} == {f"{mounted}/{one}" for one in LANGUAGES}
    assert {one["folderUid"] for one in providers} == {f"nabd-{one}" for one in LANGUAGES}
    home = COMPOSE["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (ROOT / "deploy/grafana/dashboards" / home.removeprefix(f"{mounted}/")).exists()
