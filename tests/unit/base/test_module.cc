// The module that module_test.cc loads.
extern "C" __attribute__((visibility("default"))) int TwTestAnswer() {
  return 42;
}
