"""Example command lines for the end of the help of the main commands."""

EXAMPLES = {
    "detect": (
        "zoo detect street.jpg --model yolox_nano --save annotated/",
        "zoo detect 'images/**' --model yolox_nano --json results.json",
    ),
    "video": (
        "zoo video clip.mp4 --model yolox_nano --track --save annotated.mp4",
        "zoo video rtsp://camera/stream --model yolox_nano --json frames.jsonl",
    ),
    "serve": (
        "zoo serve yolox_nano --port 8000",
        "curl --data-binary @street.jpg http://127.0.0.1:8000/v1/detect",
    ),
    "train": (
        "zoo train yolox_nano --data voc:site/ --to runs/site",
        "zoo train recipe.yaml --resume",
        "torchrun --nproc-per-node 2 -m zoo train recipe.yaml",
    ),
    "export": (
        "zoo export yolox_nano --to yolox_nano.onnx",
        "zoo export yolox_nano --to int8.onnx --int8 --calibrate coco:instances.json",
    ),
    "evaluate": (
        "zoo evaluate yolox_nano yolox_tiny --data coco:instances.json",
        "zoo evaluate results.json --data voc:site/ --report report.html",
    ),
    "compare": ("zoo compare reports/a.json reports/b.json",),
    "benchmark": ("zoo benchmark yolox_nano --engine torch,onnxruntime --batch 1,8",),
    "data check": ("zoo data check site/ --fix clean/",),
    "data convert": ("zoo data convert voc:site/ coco:site.json",),
    "data split": ("zoo data split site/ --train .8 --val .1 --test .1 --to splits/",),
    "data show": ("zoo data show site/ --out sheet.jpg",),
    "leaderboard build": ("zoo leaderboard build board.yaml --to site/",),
}
