"""``python -m mythos.ctl``: the same as ``mythosctl``, also where its script is not on the path."""

from mythos.ctl.main import main

if __name__ == "__main__":
    main(prog_name="mythosctl")
