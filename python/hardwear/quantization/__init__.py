"""From a trained network to an int8 model, in the order in which it happens.

`onnx_export` (torch to ONNX), `layers` (ONNX to a short typed list, refusing what the board can't run), `convert`
(Keras and TFLiteConverter, full int8), `tflite_file` (what the result holds, and whether it is what was asked for),
`quantizer` (int16 counts to the model's int8 input, in integers), `tflm` (the golden answer).
"""
