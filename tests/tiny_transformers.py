"""Promptable models of `transformers`, a few hundred kB each, with random weights, in folders.

One has trained weights: the shipped tiny SAM. Only imported where the library is installed.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers as library
from safetensors.torch import load_file, save_file

TINY_SAM = Path(__file__).resolve().parents[1] / "workflow" / "resources" / "vit_tiny.pth"
SIDE = 64  # px
SIZE = {"height": SIDE, "width": SIDE}
PROMPTS = {"hidden_size": 32, "image_size": SIDE, "patch_size": 16, "mask_input_channels": 4}
DECODER = {
    **{"hidden_size": 32, "mlp_dim": 32, "num_hidden_layers": 2, "num_attention_heads": 2},
    "iou_head_hidden_dim": 32,
}
PARTS = {"prompt_encoder_config": PROMPTS, "mask_decoder_config": DECODER}
VIT = {
    **{"hidden_size": 32, "output_channels": 32, "num_hidden_layers": 2, "num_attention_heads": 2},
    **{"image_size": SIDE, "patch_size": 16, "window_size": 2, "global_attn_indexes": [1]},
    **{"num_pos_feats": 16, "mlp_dim": 64},
}
MAPS = {"backbone_feature_sizes": [[16, 16], [8, 8], [4, 4]], "fpn_hidden_size": 32}
HIERA = {
    **{"model_type": "sam2_hiera_det_model", "hidden_size": 8, "image_size": [SIDE, SIDE]},
    **{"embed_dim_per_stage": [8, 16, 32, 64], "num_attention_heads_per_stage": [1, 1, 2, 2]},
    **{"blocks_per_stage": [1, 1, 2, 1], "window_size_per_stage": [4, 4, 4, 4]},
    **{"global_attention_blocks": [3], "window_positional_embedding_background_size": [2, 2]},
}
HIERA_FPN = {"backbone_config": HIERA, "backbone_channel_list": [64, 32, 16, 8], **MAPS}
PLAIN = {
    **{"model_type": "sam3_vit_model", "hidden_size": 32, "intermediate_size": 64},
    **{"num_hidden_layers": 2, "num_attention_heads": 2, "image_size": SIDE, "patch_size": 16},
    **{"window_size": 2, "global_attn_indexes": [1], "pretrain_image_size": 32},
}
PLAIN_FPN = {"model_type": "sam3_vision_model", "backbone_config": PLAIN, **MAPS}
VIDEO = {
    **{"memory_attention_hidden_size": 32, "memory_attention_num_layers": 1},
    **{"memory_attention_num_attention_heads": 1, "memory_attention_feed_forward_hidden_size": 32},
    **{"memory_attention_rope_feat_sizes": [4, 4], "memory_encoder_hidden_size": 32},
    **{"memory_encoder_output_channels": 8, "mask_downsampler_embed_dim": 32},
    **{"memory_fuser_embed_dim": 32, "memory_fuser_intermediate_dim": 32, "image_size": SIDE},
}
Made = tuple[Any, Any]  # a model and its processor


def _padding() -> Any:
    return library.SamImageProcessor(size={"longest_edge": SIDE}, pad_size=SIZE)


def _squeezing() -> Any:
    return library.Sam2Processor(library.Sam2ImageProcessor(size=SIZE))


def sam() -> Made:
    config = library.SamConfig(vision_config=VIT, **PARTS)
    return library.SamModel(config), library.SamProcessor(_padding())


def sam_hq() -> Made:
    parts = {**PARTS, "mask_decoder_config": {**DECODER, "vit_dim": 32}}
    config = library.SamHQConfig(vision_config=VIT, **parts)
    return library.SamHQModel(config), library.SamHQProcessor(_padding())


def sam2() -> Made:
    return library.Sam2Model(library.Sam2Config(vision_config=HIERA_FPN, **PARTS)), _squeezing()


def sam2_video() -> Made:
    """As SAM 2 is published: for videos, with the model for images inside."""
    config = library.Sam2VideoConfig(vision_config=HIERA_FPN, **PARTS, **VIDEO)
    frames = library.Sam2VideoVideoProcessor(size=SIZE)
    images = library.Sam2ImageProcessor(size=SIZE)
    return library.Sam2VideoModel(config), library.Sam2VideoProcessor(images, frames)


def edgetam() -> Made:
    """Needs timm, as all of the family."""
    given = {"in_chans": 3, "features_only": True, "out_indices": [1, 2, 3, 4]}
    backbone = library.TimmWrapperConfig(
        architecture="test_efficientnet", do_pooling=False, model_args=given
    )
    vision = library.EdgeTamVisionConfig(
        backbone_config=backbone, backbone_channel_list=[64, 48, 32, 24], **MAPS
    )
    return library.EdgeTamModel(library.EdgeTamConfig(vision_config=vision, **PARTS)), _squeezing()


def edgetam_video() -> Made:
    """As EdgeTAM is published."""
    model, processor = edgetam()
    more = {"perceiver_resampler_hidden_size": 8, "perceiver_resampler_mlp_intermediate_size": 8}
    config = library.EdgeTamVideoConfig(
        vision_config=model.config.vision_config, **PARTS, **VIDEO, **more
    )
    return library.EdgeTamVideoModel(config), processor


def _looking() -> Any:
    return library.Sam3TrackerProcessor(library.Sam3ImageProcessor(size=SIZE))


def sam3_tracker() -> Made:
    config = library.Sam3TrackerConfig(vision_config=PLAIN_FPN, **PARTS)
    return library.Sam3TrackerModel(config), _looking()


def sam3_video() -> Made:
    """As SAM 3 is published: a detector and a tracker, of which the latter answers prompts."""
    small = {"hidden_size": 32, "num_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    parts = ("geometry_encoder_config", "detr_encoder_config", "detr_decoder_config")
    text = {
        **{"model_type": "clip_text_model", "vocab_size": 60, "hidden_size": 32},
        **{"intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2},
        **{"projection_dim": 32, "max_position_embeddings": 8},
    }
    masks = {"hidden_size": 32, "num_attention_heads": 2, "num_upsampling_stages": 2}
    detector = {
        **{"vision_config": PLAIN_FPN, "text_config": text, "mask_decoder_config": masks},
        **dict.fromkeys(parts, small),
    }
    tracker = {"vision_config": PLAIN_FPN, **PARTS, **VIDEO}
    config = library.Sam3VideoConfig(detector_config=detector, tracker_config=tracker)
    return library.Sam3VideoModel(config), _looking()


MADE: dict[str, Callable[[], Made]] = {
    **{made.__name__: made for made in (sam, sam_hq, sam2, sam2_video, edgetam, edgetam_video)},
    **{made.__name__: made for made in (sam3_tracker, sam3_video)},
}
OF_TIMM = ("edgetam", "edgetam_video")


def saved(name: str, folder: Path, *, seed: int = 0) -> Path:
    """A folder with a model and its processor, whose masks have many borders."""
    torch.manual_seed(seed)
    model, processor = MADE[name]()
    for weight in model.parameters():
        if weight.ndim > 1:  # the library starts at a fiftieth, and all logits near 0
            torch.nn.init.normal_(weight, std=weight[0].numel() ** -0.5)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    if name == "sam3_video":  # 5.24 saves the tracker under its name twice; published: once
        weights = load_file(folder / "model.safetensors")
        twice, once = "tracker_model.tracker_model.", "tracker_model."
        weights = {key.replace(twice, once): value for key, value in weights.items()}
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def _dinov2() -> Any:
    return library.Dinov2Model(
        library.Dinov2Config(
            **{"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2},
            **{"image_size": 56, "patch_size": 14, "mlp_ratio": 2},
        )
    )


def _swin() -> Any:
    return library.SwinBackbone(
        library.SwinConfig(
            **{"embed_dim": 8, "depths": [1, 1, 1], "num_heads": [1, 1, 2], "window_size": 4},
            **{"image_size": 64, "out_features": ["stage3"]},
        )
    )


def _resnet() -> Any:
    return library.ResNetBackbone(
        library.ResNetConfig(
            **{"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1]},
            **{"layer_type": "basic", "out_features": ["stage2"]},
        )
    )


def _whole_swin() -> Any:
    """As a Swin is published: without the norms that its backbone lays over each map."""
    sizes = {"embed_dim": 8, "depths": [1, 1], "num_heads": [1, 2], "window_size": 4}
    return library.SwinModel(library.SwinConfig(**sizes, image_size=64))


BACKBONES: dict[str, Callable[[], Any]] = {
    **{"dinov2": _dinov2, "swin": _swin, "resnet": _resnet, "whole_swin": _whole_swin},
}


def saved_backbone(name: str, folder: Path, *, seed: int = 0) -> Path:
    """A folder with an image backbone, and with the processor that its family has."""
    torch.manual_seed(seed)
    BACKBONES[name]().save_pretrained(folder)
    library.BitImageProcessor().save_pretrained(folder)
    return folder


RENAMED = (  # in order, from segment_anything's names to those of the library
    *((r"image_encoder", "vision_encoder"), (r"blocks", "layers"), (r"neck\.0", "neck.conv1")),
    *((r"neck\.1", "neck.layer_norm1"), (r"neck\.2", "neck.conv2"), (r"\.norm", ".layer_norm")),
    *((r"neck\.3", "neck.layer_norm2"), (r"patch_embed\.proj", "patch_embed.projection")),
    *((r"output_upscaling\.0", "upscale_conv1"), (r"output_upscaling\.1", "upscale_layer_norm")),
    *((r"output_upscaling\.3", "upscale_conv2"), (r"mask_downscaling\.0", "mask_embed.conv1")),
    (r"mask_downscaling\.1", "mask_embed.layer_norm1"),
    *((r"mask_downscaling\.3", "mask_embed.conv2"), (r"mask_downscaling\.6", "mask_embed.conv3")),
    (r"mask_downscaling\.4", "mask_embed.layer_norm2"),
    (r"point_embeddings", "point_embed"),
    (r"pe_layer\.positional_encoding_gaussian_matrix", "shared_embedding.positional_embedding"),
    *((r"(head)\.layers\.0", r"\1.proj_in"), (r"(head)\.layers\.1", r"\1.proj_out")),
    *((r"(mlps\.\d)\.layers\.0", r"\1.proj_in"), (r"(mlps\.\d)\.layers\.2", r"\1.proj_out")),
    (r"(mlps\.\d)\.layers\.1", r"\1.layers.0"),
)


def saved_tiny_sam(folder: Path) -> Path:
    """The shipped tiny SAM, with its trained weights, as a folder of the library."""
    weights = torch.load(TINY_SAM, weights_only=True)
    vision = {
        **{"hidden_size": 128, "output_channels": 96, "num_hidden_layers": 5},
        **{"num_attention_heads": 4, "image_size": 128, "patch_size": 8, "num_pos_feats": 48},
        **{"use_rel_pos": False, "window_size": 0, "global_attn_indexes": [0, 1, 2, 3, 4]},
    }
    heads = {"num_attention_heads": 4, "iou_head_depth": 2, "iou_head_hidden_dim": 96}
    config = library.SamConfig(
        vision_config=vision,
        prompt_encoder_config={"hidden_size": 96, "image_size": 128, "patch_size": 8},
        mask_decoder_config={"hidden_size": 96, "mlp_dim": 256, **heads},
    )
    model = library.SamModel(config)
    renamed = {_renamed(key): value for key, value in weights.items() if "pixel_" not in key}
    position = renamed["prompt_encoder.shared_embedding.positional_embedding"]
    model.load_state_dict({**renamed, "shared_image_embedding.positional_embedding": position})
    model.save_pretrained(folder)
    square = {"height": 128, "width": 128}
    images = library.SamImageProcessor(size={"longest_edge": 128}, pad_size=square)
    library.SamProcessor(images).save_pretrained(folder)
    return folder


def _renamed(key: str) -> str:
    for old, new in RENAMED:
        key = re.sub(old, new, key)
    return key
