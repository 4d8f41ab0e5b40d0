// A link that puts the frames that several sequences send in one turn of the event loop into one frame BATCH, and takes such frames apart: a
// step of a group of sequences costs one write on each hop. Order is kept. Source: docs/formats/pipeline.md.
#pragma once

#include "pipeline/link.h"

namespace teetee::pipeline {

std::shared_ptr<Link> Coalesce(const net::Executor& executor, std::shared_ptr<Link> link);

}  // namespace teetee::pipeline
