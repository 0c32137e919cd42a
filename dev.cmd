@echo Holdfast builds and runs on Linux only: use a Debian container, or WSL, and ./dev there.
@exit /b 1
