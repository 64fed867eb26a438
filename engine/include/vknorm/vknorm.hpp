// Everything public.
#pragma once

#include <vknorm/activation.hpp>
#include <vknorm/batch_norm.hpp>
#include <vknorm/batch_norm_stages.hpp>
#include <vknorm/batch_renorm.hpp>
#include <vknorm/buffer.hpp>
#include <vknorm/data.hpp>
#include <vknorm/device.hpp>
#include <vknorm/error.hpp>
#include <vknorm/file.hpp>
#include <vknorm/fold.hpp>
#include <vknorm/ghost_batch_norm.hpp>
#include <vknorm/group_norm.hpp>
#include <vknorm/instance_norm.hpp>
#include <vknorm/layer_norm.hpp>
#include <vknorm/linear.hpp>
#include <vknorm/network.hpp>
#include <vknorm/normalization.hpp>
#include <vknorm/optimizer.hpp>
#include <vknorm/probe.hpp>
#include <vknorm/rms_norm.hpp>
#include <vknorm/safetensors.hpp>
#include <vknorm/softmax_cross_entropy.hpp>
#include <vknorm/stream.hpp>
#include <vknorm/tuning.hpp>
