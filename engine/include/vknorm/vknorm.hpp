// Everything public.
#pragma once

#include <vknorm/batch_norm.hpp>
#include <vknorm/buffer.hpp>
#include <vknorm/data.hpp>
#include <vknorm/device.hpp>
#include <vknorm/error.hpp>
#include <vknorm/network.hpp>
#include <vknorm/stream.hpp>
