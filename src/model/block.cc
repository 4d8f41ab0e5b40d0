#include "model/block.h"

#include <algorithm>
#include <string>

#include "ops/sum.h"

namespace teetee::model {

void BlockBatch::CheckRows(std::string_view what, float* values, size_t width, bool below2pow100) {
  for (BlockItem& item : items) {
    float* rows_of_item = values + item.row0 * width;
    const size_t count = item.n * width;
    const bool good = !item.error && (below2pow100 ? ops::AllBelow2Pow100(rows_of_item, count)
                                                   : ops::AllFinite(rows_of_item, count));
    if (good) continue;
    if (!item.error) {
      item.error = Error(Code::kInvalidArgument, std::string(what) + ": a number is out of range");
    }
    std::fill_n(rows_of_item, count, 0.0f);
    std::fill_n(x + item.row0 * dim, item.n * dim, 0.0f);
  }
}

}  // namespace teetee::model
