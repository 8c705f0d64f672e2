"""ViTDet (Li et al., 2022) as a LazyConfig of detectron2, small enough for two CPU cores.

For train.config: workflow/detectors/vitdet.py with train.run_python: true, since this file is a
program. It needs detectron2's main branch: 0.6 has no ViT. From scratch; stock: embed_dim 768,
depth 12, out_channels 256, and weights of a MAE in train.weights.
"""

from functools import partial

from detectron2.config import LazyCall as L
from detectron2.layers import ShapeSpec
from detectron2.model_zoo import get_config
from detectron2.modeling import SimpleFeaturePyramid, ViT
from detectron2.modeling.backbone.fpn import LastLevelMaxPool
from torch import nn

SIDE, WIDTH = 128, 64  # px of the square that images are padded to, train.long_side; channels

model = get_config("common/models/mask_rcnn_fpn.py").model
model.input_format = "RGB"
model.pixel_mean, model.pixel_std = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
model.backbone = L(SimpleFeaturePyramid)(
    net=L(ViT)(
        img_size=SIDE,
        patch_size=16,
        embed_dim=96,
        depth=4,
        num_heads=3,
        window_size=4,
        window_block_indexes=[0, 2],
        norm_layer=partial(nn.LayerNorm, eps=1e-6),
        use_rel_pos=True,
        out_feature="last_feat",
    ),
    in_feature="${.net.out_feature}",
    out_channels=WIDTH,
    scale_factors=(4.0, 2.0, 1.0, 0.5),
    top_block=L(LastLevelMaxPool)(),
    norm="LN",
    square_pad=SIDE,
)
model.proposal_generator.head.in_channels = WIDTH
model.proposal_generator.anchor_generator.sizes = [[16], [32], [64], [128], [256]]
model.proposal_generator.batch_size_per_image = 32
model.proposal_generator.pre_nms_topk = model.proposal_generator.post_nms_topk = (256, 256)
heads = model.roi_heads
heads.batch_size_per_image = 64
heads.box_head.input_shape = ShapeSpec(channels=WIDTH, height=7, width=7)
heads.box_head.fc_dims = [256, 256]
heads.box_predictor.input_shape = ShapeSpec(channels=256)
heads.mask_head.input_shape = ShapeSpec(channels=WIDTH, height=14, width=14)
heads.mask_head.conv_dims = [WIDTH] * 5
heads.mask_head.conv_norm = "LN"
