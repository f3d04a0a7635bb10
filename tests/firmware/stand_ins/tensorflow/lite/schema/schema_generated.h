// A stand-in: see README.md in stand_ins/.
#pragma once

namespace tflite {

struct Model;
const Model* GetModel(const void* buffer);

}  // namespace tflite
