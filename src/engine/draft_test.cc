#include "engine/draft.h"

#include <gtest/gtest.h>

namespace teetee::engine {
namespace {

using Ids = std::vector<TokenId>;

Drafter With(const Ids& ids, DraftSettings settings = {}) {
  Drafter drafter(settings);
  drafter.Add(ids);
  return drafter;
}

TEST(Draft, GuessesWhatFollowedTheNewestIdsBefore) {
  DraftSettings sure{.most = 4, .first_rate = 0.99};
  EXPECT_EQ(With({1, 2, 3, 4, 5, 6, 7, 1, 2, 3}, sure).Draft(9, 0.2), (Ids{4, 5, 6, 7}));
  EXPECT_EQ(With({1, 2, 3, 4, 5, 1, 2, 3}, sure).Draft(2, 0.2), (Ids{4, 5}));
  EXPECT_EQ(With({8, 2, 3, 4, 9, 2, 3}, sure).Draft(1, 0.2), Ids{4});           // two ids agree
  EXPECT_EQ(With({1, 2, 3, 4, 1, 2, 3, 5, 1, 2, 3}, sure).Draft(1, 0.2), Ids{5});  // the latest place
  EXPECT_EQ(With({7, 7, 7}, sure).Draft(4, 0.2), (Ids{7, 7, 7, 7}));            // a loop goes on
  EXPECT_EQ(With({1, 2, 1, 2}, sure).Draft(3, 0.2), (Ids{1, 2, 1}));
  EXPECT_TRUE(With({1, 2, 3, 4, 5}, sure).Draft(4, 0.2).empty());
  EXPECT_TRUE(With({1, 2, 3, 3}, sure).Draft(4, 0.2).empty());
  EXPECT_TRUE(With({}, sure).Draft(4, 0.2).empty());
  EXPECT_TRUE(With({7, 7, 7}, sure).Draft(0, 0.2).empty());
  EXPECT_TRUE(With({7, 7, 7}, {.most = 0}).Draft(4, 0.2).empty());
}

TEST(Draft, GoesAsFarAsItPays) {
  Drafter drafter = With(Ids(50, 7), {.most = 8, .first_rate = 0.5});
  EXPECT_EQ(drafter.Draft(8, 0.15).size(), 2u);  // 0.5, 0.25 are above the cost, 0.125 is not
  EXPECT_EQ(drafter.Draft(8, 0.4).size(), 1u);
  EXPECT_TRUE(drafter.Draft(8, 1).empty()) << "a row costs what a token costs";
  for (int i = 0; i < 40; ++i) drafter.Judge(4, 4);
  EXPECT_EQ(drafter.Draft(8, 0.15).size(), 8u);
}

TEST(Draft, StopsWhenGuessesFailAndTriesAgainNowAndThen) {
  Drafter drafter = With(Ids(50, 7));
  for (int i = 0; i < 40; ++i) drafter.Judge(2, 0);
  size_t tries = 0;
  for (int i = 0; i < 160; ++i) {
    const size_t length = drafter.Draft(8, 0.15).size();
    EXPECT_LE(length, 1u);
    tries += length;
    drafter.Judge(length, 0);
  }
  EXPECT_EQ(tries, 10u);
  for (int i = 0; i < 40; ++i) drafter.Judge(1, 1);  // the text has begun to repeat itself
  EXPECT_EQ(drafter.Draft(8, 0.15).size(), 8u);
}

}  // namespace
}  // namespace teetee::engine
