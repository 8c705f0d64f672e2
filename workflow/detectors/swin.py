"""Mask R-CNN on a Swin transformer (Liu et al., 2021), a LazyConfig of detectron2 on two CPU cores.

For train.config: workflow/detectors/swin.py with train.run_python: true, since this file is a
program. It needs detectron2's main branch: 0.6 has no Swin. From scratch; stock: embed_dim 96 to
192, depths [2, 2, 6, 2] or [2, 2, 18, 2], FPN of 256 channels, and weights in train.weights.
"""

from detectron2.config import LazyCall as L
from detectron2.layers import ShapeSpec
from detectron2.model_zoo import get_config
from detectron2.modeling import SwinTransformer

WIDTH = 64  # channels of FPN and heads

model = get_config("common/models/mask_rcnn_fpn.py").model
model.input_format = "RGB"
model.pixel_mean, model.pixel_std = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
model.backbone.bottom_up = L(SwinTransformer)(
    embed_dim=48, depths=[2, 2, 2, 2], num_heads=[3, 6, 12, 24], window_size=4, drop_path_rate=0.1
)
model.backbone.in_features = ("p0", "p1", "p2", "p3")
model.backbone.out_channels = WIDTH
model.backbone.norm = "GN"
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
heads.mask_head.conv_norm = "GN"
