// What people who walk have in common. Made by `tools/mounting_report.py --learn` from the 21 training
// subjects; do not edit.
#pragma once

#include <cstdint>

namespace hardwear {

// For each pair of a vertical and a horizontal signal, and each lag, a complex weight in Q14.
constexpr int16_t kDirectionWeights[4][9][2] = {
    {{5429, 3170}, {2675, -2682}, {3461, -558}, {560, -5944}, {-1541, 1646}, {-1814, 4880}, {-3057, 6156},
     {-2513, -4497}, {-4149, 4362}},
    {{-674, 5097}, {6042, -1937}, {-1351, 2570}, {-6223, 1648}, {410, 672}, {6421, 899}, {1642, -6826}, {-9287, 1157},
     {6020, -2938}},
    {{147, -4397}, {-1288, -2267}, {-3289, 3450}, {-5214, -4066}, {-3829, -2304}, {11491, 4670}, {893, -528},
     {413, 509}, {-1485, 3830}},
    {{-1430, 934}, {-2332, 2358}, {956, -2437}, {1446, -2614}, {899, -2126}, {6472, 3499}, {-988, 5690}, {608, 4781},
     {-1079, 3481}},
};

// From gravity on x to where gravity lies when they stand, Q20, row-major.
constexpr int32_t kStandingTilt[3][3] = {
    {1038373, 145581, -9928},
    {-145581, 1038421, 693},
    {9928, 693, 1048529},
};

// What their accelerometer made of 1 g, in counts.
constexpr int16_t kRestCounts = 8455;

}  // namespace hardwear
