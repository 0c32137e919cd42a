using System.Text.Json.Serialization;

namespace Holdfast.Engine.Callbacks;

/// <summary>The lists of texts in the store's columns.</summary>
[JsonSerializable(typeof(IReadOnlyList<string>))]
internal sealed partial class CallbackJson : JsonSerializerContext;
