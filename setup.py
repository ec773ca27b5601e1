"""Maps folders to packages. Other settings are in pyproject.toml; CMakeLists.txt builds the core."""

FOLDERS = {
    "efficientscn_trt": "efficientscn_trt",
    "efficientscn_trt.export": "export",
    "efficientscn_trt.training": "training",
}

if __name__ == "__main__":  # tests read `FOLDERS` without a build
    from setuptools import find_packages, setup

    packages = [
        package
        for root, folder in FOLDERS.items()
        for package in [root, *(f"{root}.{child}" for child in find_packages(folder))]
    ]
    setup(
        package_dir=FOLDERS,
        packages=packages,
        package_data={
            "efficientscn_trt": [
                "py.typed",
                "*.pyi",
                "demo_bundle/*",
                "page/*.css",
                "page/*.html",
                "report/fonts/*",
            ]
        },
        cmake_source_dir=".",
    )
