"""registry-gc.cdx.json: what the program is made of, as CycloneDX, the same bytes each time."""

from datetime import UTC, datetime
from importlib.metadata import Distribution
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.factory.license import LicenseFactory
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

from registry_gc import __version__
from release import pyz


def build(target: Path) -> None:
    """Writes it: the program, and each library that is in the image and in the single file."""
    program = _component("registry-gc", __version__, "MIT", ComponentType.APPLICATION)
    libraries = [
        _component(found.name, found.version, _licence(found), ComponentType.LIBRARY)
        for found in pyz.libraries("registry-gc")
    ]
    bom = Bom(
        components=libraries,
        # Nothing in it differs from one build of a version to the next.
        serial_number=uuid5(NAMESPACE_URL, f"pkg:pypi/registry-gc@{__version__}"),
        metadata=BomMetaData(component=program, timestamp=datetime.fromtimestamp(0, UTC)),
    )
    bom.register_dependency(program, libraries)
    text = make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=2)
    target.write_text(text + "\n", encoding="utf-8")


def _component(name: str, version: str, licence: str, kind: ComponentType) -> Component:
    return Component(
        name=name,
        version=version,
        type=kind,
        bom_ref=f"{name}@{version}",
        purl=PackageURL("pypi", name=name, version=version),
        licenses=[LicenseFactory().make_from_string(licence)] if licence else [],
    )


def _licence(library: Distribution) -> str:
    told = library.metadata.json
    return str(told.get("license_expression") or told.get("license") or "")
