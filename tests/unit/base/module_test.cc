#include "base/module.h"

#include <gtest/gtest.h>

namespace tw {
namespace {

TEST(Module, FindsTheFactoryOfAModule) {
  const auto symbol = LoadModuleSymbol(TW_TEST_MODULE, "TwTestAnswer");
  ASSERT_TRUE(symbol) << symbol.error().message;
  EXPECT_EQ(reinterpret_cast<int (*)()>(*symbol)(), 42);
}

TEST(Module, SaysWhichFileCannotBeLoadedAndWhatToDo) {
  const auto symbol = LoadModuleSymbol("tw_no_such_module.so", "TwTestAnswer");
  ASSERT_FALSE(symbol);
  EXPECT_EQ(symbol.error().kind, ErrorKind::kFailure);
  EXPECT_NE(symbol.error().message.find("tw_no_such_module.so"), std::string::npos);
  EXPECT_NE(symbol.error().hint.find("reinstall"), std::string::npos);
}

TEST(Module, SaysThatAModuleOfAnotherVersionLacksTheFactory) {
  const auto symbol = LoadModuleSymbol(TW_TEST_MODULE, "TwFromTheFuture");
  ASSERT_FALSE(symbol);
  EXPECT_EQ(symbol.error().kind, ErrorKind::kFailure);
  EXPECT_NE(symbol.error().message.find("TwFromTheFuture"), std::string::npos);
  EXPECT_NE(symbol.error().hint.find("different versions"), std::string::npos);
}

}  // namespace
}  // namespace tw
