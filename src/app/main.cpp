#include <cstdio>

int main() {
  std::puts("vedette " VEDETTE_VERSION);
  return 0;
}
