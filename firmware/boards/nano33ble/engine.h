// The engine that this environment of platformio.ini builds in.
#pragma once

#ifdef HARDWEAR_ENGINE_COMPILED
#include "engines/compiled/compiled_classifier.h"
namespace hardwear {
using Engine = CompiledClassifier;
}
#else
#include "engines/tflm/tflm_classifier.h"
namespace hardwear {
using Engine = TflmClassifier;
}
#endif
