namespace Holdfast.Protocol.Json;

/// <summary>What the reader stands on.</summary>
public enum JsonToken : byte
{
    None,
    StartObject,
    EndObject,
    StartArray,
    EndArray,
    PropertyName,
    String,
    Number,
    True,
    False,
    Null,
}
