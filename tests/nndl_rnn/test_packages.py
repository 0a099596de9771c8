"""Modules that are imported when they are first named, and packages that are not installed."""

import importlib
import pkgutil

import pytest

import nndl_rnn
from nndl_rnn import _packages


@pytest.mark.parametrize("name", ["nndl_rnn", "nndl_rnn.figures", "nndl_rnn.peers"])
def test_a_package_names_all_its_modules(name):
    package = importlib.import_module(name)
    found = {m.name for m in pkgutil.iter_modules(package.__path__) if not m.name.startswith("_")}
    assert set(package.__all__) == found
    assert found <= set(dir(package))
    for module in found:
        assert getattr(package, module).__name__ == f"{name}.{module}"


def test_the_text_is_a_module_of_the_tasks():
    assert nndl_rnn.tasks.text.__name__ == "nndl_rnn.tasks.text"
    assert "text" in dir(nndl_rnn.tasks)


@pytest.mark.parametrize("name", ["lstn", "_validation_", "numpy"])
def test_what_is_no_module_is_an_attribute_error(name):
    assert not hasattr(nndl_rnn, name)


def test_an_error_of_an_installed_package_is_not_called_a_missing_one():
    with pytest.raises(ImportError, match="broken") as raised, _packages.extra("torch", "here"):
        raise ImportError("broken")
    assert "pip install" not in str(raised.value)
