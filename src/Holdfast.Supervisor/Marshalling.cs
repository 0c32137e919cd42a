using System.Runtime.CompilerServices;

// As in Holdfast.Protocol: no P/Invoke needs a stub compiled at start.
[assembly: DisableRuntimeMarshalling]
